/** Stops that were asked for and not yet confirmed: over the socket, and over plain HTTP where that is not enough. */

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

  /** A refusal does not say which generation it is about: none of them is asked for again. */
  settleAll() {
    for (const each of this.#outbox.keys(key(""))) this.#outbox.settle(each)
  }
}

/** The plain stop forms, without leaving the page. `stopped(generation)` at once, `failed(generation)` if it was not. */
export function interceptStopForms(stopped, failed) {
  document.addEventListener("submit", async event => {
    const generation = event.target.dataset.stop
    if (!generation) return
    event.preventDefault()
    const button = event.target.querySelector("button")
    if (button.ariaDisabled) return
    button.ariaDisabled = "true"
    stopped(generation)
    if (await post(generation)) return
    button.ariaDisabled = null
    failed(generation)
  })
}

/** Whether the server took it. */
async function post(generation) {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), accept: "application/json" }
  const address = `/generations/${encodeURIComponent(generation)}/stop/`
  try {
    return (await fetch(address, { method: "POST", headers, redirect: "manual", keepalive: true })).ok
  } catch {
    return false // No network: the server notices that nobody is there. A stop of ours waits in the outbox, too.
  }
}
