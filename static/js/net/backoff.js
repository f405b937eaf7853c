/** How long the socket waits before it connects again. */
const FIRST_DELAY = 250
const MAX_DELAY = 5000
const FLOOD_DELAY = 5000
// A shorter connection does not reset the delay, so a server that closes at once is not hammered.
const STABLE = 2000
// Close codes (docs/protocol.md).
const SERVER_RESTARTS = 1012
const FLOODED = 4429

export class Backoff {
  #attempt = 0

  /** Milliseconds to wait, after a connection that was open for `lifetime` ms (0: never) and closed with `code`. */
  delay(code, lifetime) {
    if (lifetime > STABLE) this.#attempt = 0
    const delay = Math.min(FIRST_DELAY * 2 ** this.#attempt++, MAX_DELAY) * (0.75 + Math.random() / 4)
    if (code === FLOODED) return FLOOD_DELAY
    return code === SERVER_RESTARTS && this.#attempt === 1 ? 0 : delay
  }
}
