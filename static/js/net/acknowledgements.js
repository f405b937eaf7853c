/** Counts what arrives, so that the server knows how much of what it sent has been read (docs/protocol.md). */
const INTERVAL = 1500
// Characters. The server stops sending to a page with four times as much unread.
const MAX_UNACKNOWLEDGED = 65536

export class Acknowledgements {
  #received = 0
  #unacknowledged = 0
  #sentAt = 0

  /** A new connection counts from zero. */
  reset() {
    this.#received = this.#unacknowledged = 0
  }

  /** An event of this many characters arrived. */
  count(length) {
    this.#received += 1
    this.#unacknowledged += length
  }

  get due() {
    return Date.now() - this.#sentAt >= INTERVAL || this.#unacknowledged >= MAX_UNACKNOWLEDGED
  }

  get command() {
    return { op: "ack", received: this.#received }
  }

  sent() {
    this.#sentAt = Date.now()
    this.#unacknowledged = 0
  }
}
