/** Commands that the server has not answered yet. They go out again after a reconnect: their ids make them one. */

// How often a connection may break after a command before the command is held to be the reason.
const LOSSES = 4
// A frame that is too large; a connection that broke (docs/protocol.md).
const TOO_LARGE = 1009
const BROKEN = 1006

export class Outbox {
  #socket
  #letters
  #waiting = new Map()

  constructor(socket, letters) {
    this.#socket = socket
    this.#letters = letters
  }

  get empty() {
    return this.#waiting.size === 0
  }

  /** `place`: the conversation that the command was given in. */
  post(key, command, place = null) {
    this.#letters.keep(command, place)
    this.#waiting.set(key, { command, place, sent: this.#socket.send(command), losses: 0 })
  }

  /**
   * What was typed in this place and waits: in this tab, or left behind by one that is gone. Of new chats only the
   * latter: who asked in one and begins another goes on to the second.
   */
  async of(place) {
    const left = (await this.#letters.adopt(place)).filter(({ command }) => !this.has(command.id))
    for (const { command } of left) this.post(command.id, command, place)
    if (place === null) return left
    return [...this.#waiting.values()].filter(each => each.place === place && "content" in each.command)
  }

  replay() {
    for (const key of this.#waiting.keys()) this.repeat(key)
  }

  repeat(key) {
    const letter = this.#waiting.get(key)
    letter.sent = this.#socket.send(letter.command) || letter.sent
  }

  /**
   * The connection ended with this code. Takes out and returns what is not to be sent again: the first that waits, when
   * it is too large for the server, or when one connection after the other ended with it.
   */
  lost(code) {
    const [key, letter] = this.#waiting.entries().next().value ?? []
    if (!letter?.sent) return []
    letter.losses += code === BROKEN
    return code === TOO_LARGE || letter.losses >= LOSSES ? [this.settle(key)] : []
  }

  /** The server has answered (or nobody wants the answer any more). Returns { command, place } if it was waiting. */
  settle(key) {
    const letter = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (letter) this.#letters.drop(letter.command)
    return letter
  }

  keys(prefix) {
    return [...this.#waiting.keys()].filter(key => key.startsWith(prefix))
  }

  has(key) {
    return this.#waiting.has(key)
  }

  wasSent(key) {
    return this.#waiting.get(key)?.sent ?? true
  }
}
