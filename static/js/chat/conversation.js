/** The conversation on the page: holds its parts together, and is what the rest of the page calls. */
import { clearMessageAddress, setTitle } from "chat/address"
import { AnswerStreams } from "chat/answer-streams"
import { Asking } from "chat/sending"
import { Blocks } from "chat/scrollable-blocks"
import { Composer } from "chat/composer"
import { openEditor } from "chat/editor"
import { Follow } from "chat/scroll-follow"
import { Paging } from "chat/paging"
import { ServerEvents } from "chat/server-events"
import { Stopping } from "chat/stopping"
import { Subscription } from "chat/subscription"
import { Transcript } from "chat/transcript"
import { Unsent } from "chat/rejected-commands"
import { updateWaitNote } from "chat/wait-note"
import { sentence } from "shell/status"

export class Conversation {
  #events
  streams = new AnswerStreams()
  // Whether the server cannot be reached.
  away = false

  constructor(main, socket, outbox) {
    this.main = main
    this.socket = socket
    this.outbox = outbox
    this.subscription = new Subscription(this)
    this.asking = new Asking(this)
    this.unsent = new Unsent(this)
    this.stopping = new Stopping(this)
    this.#events = new ServerEvents(this)
    this.show(null)
    setInterval(() => this.away || updateWaitNote(this.transcript.running), 1000)
  }

  get root() {
    return document.getElementById("conversation")
  }

  /** Null for a new chat. */
  get id() {
    return this.root.dataset.conversation || null
  }

  get user() {
    return this.main.dataset.user
  }

  /** Take over the conversation that is on the page now. `top`: where to scroll to, in pixels; null: to the end. */
  show(top) {
    const { root } = this
    for (const part of [this.follow, this.blocks, this.paging]) part?.disconnect()
    this.asking.reset()
    this.streams.forget()
    this.transcript = new Transcript(root)
    this.composer = new Composer(root, this.user, {
      send: text => this.asking.send(text),
      stop: () => this.stopping.stop(),
    })
    this.follow = new Follow(root, this.#topToShow(top))
    this.paging = new Paging(root, () => this.transcript.partial || this.subscribe())
    this.blocks = new Blocks(root)
    setTitle(root, root.querySelector("[data-title]").textContent)
    this.update()
    this.subscribe()
    this.unsent.resume()
    this.composer.catchUp()
  }

  #topToShow(top) {
    const found = this.root.querySelector("[data-found]")
    if (!found) return this.transcript.last ? top : 0
    found.focus({ preventScroll: true })
    found.scrollIntoView()
    return this.root.querySelector("[data-scroller]").scrollTop
  }

  /** Something is on its way from the server, or should be. */
  get expecting() {
    return !this.outbox.empty || Boolean(this.transcript.running)
  }

  subscribe() {
    this.subscription.subscribe()
  }

  /** Go to the end, also from messages far above it. */
  latest() {
    const far = this.transcript.partial
    this.transcript.skipNewer()
    if (far) this.subscription.subscribe({})
    clearMessageAddress()
    this.follow.toEnd()
  }

  openEditor(article, text = article.querySelector("[data-content]").textContent) {
    return openEditor(this.root, article, text, changed => this.asking.edit(article, changed))
  }

  /** The server became unreachable, or can be reached again. */
  showAway(away) {
    this.away = away
    if (!away) {
      for (const name of ["failed", "waitsBehind"]) this.composer.withdrawRefusal(sentence(name))
    }
    this.update()
  }

  /** An open connection ended with this code. */
  lost(code) {
    this.unsent.giveUpAfter(code)
  }

  /** Handle one event of the server. */
  receive(event) {
    this.#events.handle(event)
    this.update()
  }

  /** Make the composer and the unsent prompt agree with the state of the conversation. */
  update() {
    this.asking.updateUnsent()
    const running = this.transcript.running?.dataset
    if (!running || "saving" in running) this.composer.show("idle")
    else this.composer.show("stopping" in running ? "stopping" : "streaming")
  }
}
