/** Commands that the server has not answered yet. They go out again after a reconnect: their ids make them one. */
export class Outbox {
  #socket
  #waiting = new Map()

  constructor(socket) {
    this.#socket = socket
  }

  get empty() {
    return this.#waiting.size === 0
  }

  post(key, command) {
    this.#waiting.set(key, { command, sent: this.#socket.send(command) })
  }

  replay() {
    for (const letter of this.#waiting.values()) letter.sent = this.#socket.send(letter.command) || letter.sent
  }

  /** The server has answered (or nobody wants the answer any more). Returns the command, if it was waiting. */
  settle(key) {
    const letter = this.#waiting.get(key)
    this.#waiting.delete(key)
    return letter?.command
  }

  has(key) {
    return this.#waiting.has(key)
  }

  wasSent(key) {
    return this.#waiting.get(key)?.sent ?? true
  }
}
