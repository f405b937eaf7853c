/** When to probe a silent connection: a lost network closes no socket. */
const MAX_SILENCE = 4000
// An event may still have been on its way when the network went. A later one proves that the server is reachable.
const IN_FLIGHT = 2000

export class Silence {
  #heardAt = 0
  #askedAt = 0
  #probedAt = 0
  #offlineAt = 0

  /** The browser said that there is no network, and nothing has disproved it. */
  get offline() {
    return this.#offlineAt > 0
  }

  /** A new connection begins. */
  reset() {
    this.#probedAt = 0
  }

  /** A command was sent that the server answers. */
  asked() {
    this.#askedAt = Date.now()
  }

  wentOffline() {
    this.#offlineAt = Date.now()
  }

  /** The server can be reached. */
  online() {
    this.#offlineAt = 0
  }

  /** Something arrived. Returns whether that disproves an earlier "offline". */
  heard() {
    this.#heardAt = Date.now()
    return this.offline && Date.now() - this.#offlineAt > IN_FLIGHT
  }

  /** Whether a probe is due. `atOnce`: without waiting for a silence, unless one is under way. */
  due(atOnce) {
    const since = Math.max(this.#heardAt, this.#askedAt)
    return this.#probedAt <= since && (atOnce || Date.now() - since >= MAX_SILENCE)
  }

  /** A probe is sent now. Returns a function that says whether nothing has arrived since. */
  probe() {
    const before = this.#heardAt
    this.#probedAt = Date.now()
    return () => this.#heardAt === before
  }
}
