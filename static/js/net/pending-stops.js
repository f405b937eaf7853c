/** Stops that the server has not confirmed. They go over the socket, and over plain HTTP if that is not enough. */

// After this long without an answer, the socket may be dead without knowing it.
const SOCKET_TIMEOUT = 1000

const key = id => `stop:${id}`

export class Stops {
  #socket
  #outbox

  constructor(socket, outbox) {
    this.#socket = socket
    this.#outbox = outbox
  }

  stop(generation) {
    this.#outbox.post(key(generation), { op: "stop", generation })
    if (!this.#socket.open) post(generation)
    else setTimeout(() => this.has(generation) && post(generation), SOCKET_TIMEOUT)
  }

  /** Stop what the command `id` asked for, while the page does not know its generation yet. */
  stopCommand(id) {
    this.#outbox.post(key(id), { op: "stop", id })
  }

  /** The command got its generation: go on with a stop of that. */
  rename(command, generation) {
    if (this.#outbox.remove(key(command))) this.stop(generation)
  }

  /** Whether a stop of this generation or command waits for its confirmation. */
  has(id) {
    return this.#outbox.has(key(id))
  }

  /** The stop of this generation or command was answered. */
  remove(id) {
    this.#outbox.remove(key(id))
  }

  removeAll() {
    for (const each of this.#outbox.keys(key(""))) this.#outbox.remove(each)
  }
}

/** Submit the page's stop forms without leaving it. Calls `stopping(generation)` at once, `failed(generation)` on failure. */
export function interceptStopForms(stopping, failed) {
  document.addEventListener("submit", async event => {
    const generation = event.target.dataset.stop
    if (!generation) return
    event.preventDefault()
    const button = event.target.querySelector("button")
    if (button.ariaDisabled) return
    button.ariaDisabled = "true"
    stopping(generation)
    if (await post(generation)) return
    button.ariaDisabled = null
    failed(generation)
  })
}

/** Returns whether the server took it. */
async function post(generation) {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), accept: "application/json" }
  const address = `/generations/${encodeURIComponent(generation)}/stop/`
  try {
    return (await fetch(address, { method: "POST", headers, redirect: "manual", keepalive: true })).ok
  } catch {
    return false // No network: the server notices that nobody is there, and stops of the socket wait in the outbox.
  }
}
