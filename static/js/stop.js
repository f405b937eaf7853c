/** Stops that were asked for and not yet confirmed: over the socket, and over plain HTTP where that is not enough. */
import { tab } from "chat/ids"

// After this long without a word the socket may be dead without knowing it.
const PATIENCE = 1000

const key = id => `stop:${id}`

export class Stops {
  #socket
  #outbox

  constructor(socket, outbox) {
    this.#socket = socket
    this.#outbox = outbox
  }

  ask(generation) {
    this.#outbox.post(key(generation), { op: "stop", generation })
    if (!this.#socket.open) post(generation)
    else setTimeout(() => this.asked(generation) && post(generation), PATIENCE)
  }

  /** Before the generation has a name: by the command that asked for it. */
  askByCommand(id) {
    this.#outbox.post(key(id), { op: "stop", id })
  }

  /** The command's generation has a name now. */
  rename(command, generation) {
    if (this.#outbox.settle(key(command))) this.ask(generation)
  }

  /** `id`: of a generation or of a command. */
  asked(id) {
    return this.#outbox.has(key(id))
  }

  settle(id) {
    this.#outbox.settle(key(id))
  }
}

/** The plain stop forms, without leaving the page. */
export function interceptStopForms(stopped) {
  document.addEventListener("submit", event => {
    const generation = event.target.dataset.stop
    if (!generation) return
    event.preventDefault()
    event.target.querySelector("button").ariaDisabled = "true"
    stopped(generation)
    post(generation)
  })
}

async function post(generation) {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), accept: "application/json", "x-tab": tab }
  const address = `/generations/${encodeURIComponent(generation)}/stop/`
  try {
    await fetch(address, { method: "POST", headers, redirect: "manual", keepalive: true })
  } catch {
    // No network: the stop waits in the outbox for the socket, and the server notices that nobody is there.
  }
}
