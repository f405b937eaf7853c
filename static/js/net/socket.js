/** The page's WebSocket (docs/protocol.md): it connects again by itself and acknowledges what it receives. */
import { Backoff } from "net/backoff"
import { Silence } from "net/silence-probe"

const OPENING_TIMEOUT = 8000
const PROBE_TIMEOUT = 2500
const CHECK_INTERVAL = 1000
const ACK_INTERVAL = 1500
// Characters. The server stops sending to a page with four times as much unread.
const MAX_UNACKNOWLEDGED = 65536
// How long a socket that seems dead stays open (see #drop).
const CLOSE_DELAY = 5000
// Close codes (docs/protocol.md): signed out; this origin may not connect. Both are final.
const FINAL = [4401, 4403]
const BROKEN = 1006

/** Bytes of a command as it is sent. The server closes the socket of a page that sends a larger frame than it takes. */
export function size(command) {
  return new TextEncoder().encode(JSON.stringify(command)).length
}

export class Socket {
  #address
  #handlers
  #socket = null
  #timer
  #openedAt = 0
  #ended = false
  #backoff = new Backoff()
  #silence = new Silence()
  #received = 0
  #unacknowledged = 0
  #acknowledgedAt = 0

  /**
   * `handlers`:
   * - event(event): one event of the server;
   * - state(state): "connecting", "open", "closed", or, if the server cannot be reached, "offline" (the browser says so)
   *   or "lost" (nothing answers);
   * - lost(code): an open connection ended; ended(code): the connection ended and is not retried;
   * - expecting(): whether something should come from the server; probe(): send a command that is answered.
   */
  constructor(path, handlers) {
    this.#address = new URL(path, location.href.replace(/^http/, "ws"))
    this.#handlers = handlers
    addEventListener("online", () => this.#wake({ atOnce: true }))
    addEventListener("offline", () => this.#offline())
    addEventListener("pagehide", () => this.#leave())
    addEventListener("pageshow", event => event.persisted && this.connect())
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake())
    setInterval(() => this.#check(), CHECK_INTERVAL)
  }

  get open() {
    return this.#openedAt > 0
  }

  connect() {
    if (this.#socket || this.#ended) return
    clearTimeout(this.#timer)
    this.#silence.reset()
    this.#received = this.#unacknowledged = 0
    const socket = this.#socket = new WebSocket(this.#address)
    this.#timer = setTimeout(() => this.#drop(), OPENING_TIMEOUT)
    socket.onmessage = message => this.#receive(JSON.parse(message.data), message.data.length)
    socket.onclose = ({ code }) => {
      const { open } = this
      this.#closed(code)
      if (open) this.#handlers.lost(code)
    }
    this.#handlers.state("connecting")
  }

  /** Returns whether the command was sent. */
  send(command) {
    if (!this.open) return false
    if (command.op !== "ack" && command.op !== "watch") this.#silence.asked()
    this.#socket.send(JSON.stringify(command))
    return true
  }

  // A page that expects nothing is not misled by silence. Without a socket, the next attempt is already scheduled.
  #check() {
    if (this.open && (this.#silence.offline || this.#handlers.expecting())) this.#wake()
  }

  #wake({ atOnce = false } = {}) {
    if (!this.#socket) return this.connect()
    if (!this.open || !this.#silence.due(atOnce)) return
    const socket = this.#socket
    const unanswered = this.#silence.probe()
    this.#handlers.probe()
    setTimeout(() => socket === this.#socket && unanswered() && this.#drop(), PROBE_TIMEOUT)
  }

  // The browser says that there is no network. That is wrong if the server runs on the same machine.
  #offline() {
    this.#silence.wentOffline()
    this.#handlers.state("offline")
  }

  #receive(event, length) {
    this.#received += 1
    this.#unacknowledged += length
    const reachable = this.#silence.heard()
    if (event.op === "hello") this.#opened()
    else if (reachable) this.#online()
    this.#acknowledge(event.op === "ping")
    this.#handlers.event(event)
  }

  #opened() {
    clearTimeout(this.#timer)
    this.#openedAt = Date.now()
    this.#online()
  }

  #online() {
    this.#silence.online()
    this.#handlers.state("open")
  }

  // Called for each event and never by a timer: hidden tabs may run their timers only once a minute.
  #acknowledge(atOnce) {
    const due = Date.now() - this.#acknowledgedAt >= ACK_INTERVAL || this.#unacknowledged >= MAX_UNACKNOWLEDGED
    if (!atOnce && !due) return
    if (!this.send({ op: "ack", received: this.#received })) return
    this.#acknowledgedAt = Date.now()
    this.#unacknowledged = 0
  }

  #closed(code) {
    const lifetime = this.open ? Date.now() - this.#openedAt : 0
    this.#forget()
    this.#ended = FINAL.includes(code)
    if (this.#ended) this.#handlers.ended(code)
    else this.#timer = setTimeout(() => this.connect(), this.#backoff.delay(code, lifetime))
  }

  // The old socket may be alive after all. If it closed before the new one is open, the server would see the last
  // viewer leave.
  #drop() {
    const old = this.#socket
    setTimeout(() => old?.close(), CLOSE_DELAY)
    this.#closed(BROKEN)
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
