/** The page's WebSocket (docs/protocol.md): opens, comes back by itself, counts and acknowledges what it receives. */
const FIRST_DELAY = 250
const LONGEST_DELAY = 5000
const TOO_MANY_FRAMES_DELAY = 5000
const OPENING_PATIENCE = 8000
// A connection that lived for less than this does not reset the delay: a server that closes at once is not hammered.
const STABLE = 2000
const ACK_INTERVAL = 1500
// The server stops sending to a page with four times as much unread.
const ACK_AMOUNT = 65536
// A lost network closes nothing. When something is expected and nothing comes, ask; without an answer, connect anew.
const LOOK = 1000
const SILENCE = 4000
const PROBE_PATIENCE = 2500
// Only what comes later than this after the browser saw its network go proves that the server is within reach.
const ON_ITS_WAY = 2000
// An old socket that turns out to be alive is closed after this.
const GOODBYE = 5000

/** Bytes of a command on its way. The server closes the socket of a page that sends too many at once. */
export function size(command) {
  return new TextEncoder().encode(JSON.stringify(command)).length
}

export class Socket {
  #address
  #handlers
  #socket = null
  #timer
  #attempt = 0
  #openedAt = 0
  #received = 0
  #unacknowledged = 0
  #acknowledgedAt = 0
  #heardAt = 0
  #askedAt = 0
  #probedAt = 0
  #doubtedAt = 0
  #ended = false

  /**
   * `handlers`: event(event); state("connecting" | "open" | "closed", or
   * for want of any sign of life "offline" | "lost"); lost(code), a connection ended; ended(code), and is not retried;
   * expecting(), whether something should come from the server; probe(), send something that is answered.
   */
  constructor(path, handlers) {
    this.#address = new URL(path, location.href.replace(/^http/, "ws"))
    this.#handlers = handlers
    addEventListener("online", () => this.#wake({ atOnce: true }))
    addEventListener("offline", () => this.#doubt())
    addEventListener("pagehide", () => this.#leave())
    addEventListener("pageshow", event => event.persisted && this.connect())
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake())
    setInterval(() => this.#look(), LOOK)
  }

  get open() {
    return this.#openedAt > 0
  }

  connect() {
    if (this.#socket || this.#ended) return
    clearTimeout(this.#timer)
    this.#received = this.#unacknowledged = this.#probedAt = 0
    const socket = this.#socket = new WebSocket(this.#address)
    this.#timer = setTimeout(() => this.#drop(), OPENING_PATIENCE)
    socket.onmessage = message => this.#receive(JSON.parse(message.data), message.data.length)
    socket.onclose = ({ code }) => {
      const { open } = this
      this.#closed(code)
      if (open) this.#handlers.lost(code)
    }
    this.#handlers.state("connecting")
  }

  // Where nothing is expected nobody is misled. Without a socket, the next attempt is on its way.
  #look() {
    if (this.open && (this.#doubtedAt || this.#handlers.expecting())) this.#wake()
  }

  #wake({ atOnce = false } = {}) {
    if (!this.#socket) return this.connect()
    if (!this.open || this.#probedAt > this.#quietSince) return
    if (!atOnce && Date.now() - this.#quietSince < SILENCE) return
    const [socket, heardAt] = [this.#socket, this.#heardAt]
    this.#probedAt = Date.now()
    this.#handlers.probe()
    setTimeout(() => socket === this.#socket && heardAt === this.#heardAt && this.#drop(), PROBE_PATIENCE)
  }

  get #quietSince() {
    return Math.max(this.#heardAt, this.#askedAt)
  }

  // The browser says that there is no network. It is wrong where the server runs on the same machine.
  #doubt() {
    this.#doubtedAt = Date.now()
    this.#handlers.state("offline")
  }

  /** Whether the frame went out. */
  send(command) {
    if (!this.open) return false
    if (command.op !== "ack" && command.op !== "watch") this.#askedAt = Date.now()
    this.#socket.send(JSON.stringify(command))
    return true
  }

  #receive(event, length) {
    this.#received += 1
    this.#unacknowledged += length
    this.#heardAt = Date.now()
    if (event.op === "hello") {
      clearTimeout(this.#timer)
      this.#openedAt = Date.now()
      this.#trust()
    } else if (this.#doubtedAt && Date.now() - this.#doubtedAt > ON_ITS_WAY) this.#trust()
    this.#acknowledge(event.op === "ping")
    this.#handlers.event(event)
  }

  #trust() {
    this.#doubtedAt = 0
    this.#handlers.state("open")
  }

  // Called from the message handler and never from a timer: in a hidden tab timers may run once a minute.
  #acknowledge(atOnce) {
    const due = Date.now() - this.#acknowledgedAt >= ACK_INTERVAL || this.#unacknowledged >= ACK_AMOUNT
    if (!atOnce && !due) return
    if (!this.send({ op: "ack", received: this.#received })) return
    this.#acknowledgedAt = Date.now()
    this.#unacknowledged = 0
  }

  #closed(code) {
    if (this.open && Date.now() - this.#openedAt > STABLE) this.#attempt = 0
    this.#forget()
    if (code === 4401 || code === 4403) {
      this.#ended = true
      this.#handlers.ended(code)
    } else {
      this.#timer = setTimeout(() => this.connect(), this.#delay(code))
    }
  }

  #delay(code) {
    const backoff = Math.min(FIRST_DELAY * 2 ** this.#attempt++, LONGEST_DELAY) * (0.75 + Math.random() / 4)
    if (code === 4429) return TOO_MANY_FRAMES_DELAY
    return code === 1012 && this.#attempt === 1 ? 0 : backoff
  }

  // Should the old socket be alive after all, its goodbye must not come before the new one's hello: for the server
  // the last viewer would have left.
  #drop() {
    const old = this.#socket
    setTimeout(() => old?.close(), GOODBYE)
    this.#closed(1006)
    this.#handlers.state("lost")
  }

  #leave() {
    this.#socket?.close(1000)
    this.#forget()
  }

  #forget() {
    clearTimeout(this.#timer)
    if (this.#socket) this.#socket.onmessage = this.#socket.onclose = null
    this.#socket = null
    this.#openedAt = 0
    this.#handlers.state("closed")
  }
}
