/** Commands that the server has not answered. They are sent again after a reconnect; their ids make that harmless. */

// A command is given up once this many connections in a row broke after it was sent.
const MAX_LOSSES = 4
// Close codes (docs/protocol.md): a frame was too large; the connection broke.
const TOO_LARGE = 1009
const BROKEN = 1006

export class Outbox {
  #socket
  #store
  #unanswered = new Map()

  constructor(socket, store) {
    this.#socket = socket
    this.#store = store
  }

  get empty() {
    return this.#unanswered.size === 0
  }

  /** Send a command now, or as soon as there is a connection. `place`: the conversation that it was given in. */
  post(key, command, place = null) {
    this.#store.save(command, place)
    this.#unanswered.set(key, { command, place, sent: this.#socket.send(command), losses: 0 })
  }

  /**
   * The unanswered commands with text that were given in this place: in this tab, or in one that is closed. For new
   * chats only the latter: somebody who sends in one new chat and opens another wants the other to be empty.
   */
  async unanswered(place) {
    const left = (await this.#store.adopt(place)).filter(({ command }) => !this.has(command.id))
    for (const { command } of left) this.post(command.id, command, place)
    if (place === null) return left
    return [...this.#unanswered.values()].filter(entry => entry.place === place && "content" in entry.command)
  }

  /** Send everything again. */
  replay() {
    for (const key of this.#unanswered.keys()) this.repeat(key)
  }

  repeat(key) {
    const entry = this.#unanswered.get(key)
    entry.sent = this.#socket.send(entry.command) || entry.sent
  }

  /**
   * The connection ended with `code`. Removes and returns the commands not to send again: the oldest, if it is too
   * large for the server or several connections in a row broke after it.
   */
  giveUpAfter(code) {
    const [key, entry] = this.#unanswered.entries().next().value ?? []
    if (!entry?.sent) return []
    entry.losses += code === BROKEN
    return code === TOO_LARGE || entry.losses >= MAX_LOSSES ? [this.remove(key)] : []
  }

  /** The command was answered or withdrawn. Returns { command, place }, or undefined if it was not here. */
  remove(key) {
    const entry = this.#unanswered.get(key)
    this.#unanswered.delete(key)
    if (entry) this.#store.remove(entry.command)
    return entry
  }

  keys(prefix) {
    return [...this.#unanswered.keys()].filter(key => key.startsWith(prefix))
  }

  has(key) {
    return this.#unanswered.has(key)
  }

  /** Whether the command may have reached the server. */
  wasSent(key) {
    return this.#unanswered.get(key)?.sent ?? true
  }
}
