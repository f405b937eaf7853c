/** The conversation on the page: what the person does becomes commands, what the server says changes the page. */
import { Answers } from "chat/answers"
import { Composer } from "chat/composer"
import { Draft } from "chat/draft"
import { openEditor } from "chat/editor"
import { Follow } from "chat/follow"
import { newId } from "chat/ids"
import { instructions } from "chat/panel"
import { More } from "chat/more"
import { Optimistic } from "chat/optimistic"
import { leavePlace, moveTo, setTitle } from "chat/place"
import { Reach } from "chat/reach"
import { say, sentence } from "chat/says"
import { refreshSidebar } from "chat/sidebar"
import { Stops } from "chat/stop"
import { Transcript } from "chat/transcript"

export class Conversation {
  #main
  #socket
  #outbox
  #stops
  #answers = new Answers()
  #transcript
  #pending = null
  #reach
  #more
  #next = null
  #watchedFor = null

  constructor(main, socket, outbox) {
    this.#main = main
    this.#socket = socket
    this.#outbox = outbox
    this.#stops = new Stops(socket, outbox)
    this.show(null)
  }

  get root() {
    return document.getElementById("conversation")
  }

  get id() {
    return this.root.dataset.conversation || null
  }

  /** Take charge of the conversation that is in the page now. `top`: where to scroll to; null: the end. */
  show(top) {
    this.follow?.disconnect()
    this.#reach?.disconnect()
    this.#more?.disconnect()
    this.#pending = this.#next = null
    this.#answers.forget()
    this.#transcript = new Transcript(this.root)
    this.composer = new Composer(this.root, this.#main.dataset.user, {
      send: text => this.send(text),
      stop: () => this.stop(),
    })
    this.follow = new Follow(this.root, this.#placeToShow(top))
    this.#more = new More(this.root, () => this.#transcript.partial || this.watch())
    this.#reach = new Reach(this.root)
    setTitle(this.root, this.root.querySelector("[data-title]").textContent)
    this.#reflect()
    this.watch()
  }

  #placeToShow(top) {
    const found = this.root.querySelector("[data-found]")
    if (!found) return this.#transcript.last ? top : 0
    found.focus({ preventScroll: true })
    found.scrollIntoView()
    return this.root.querySelector("[data-scroller]").scrollTop
  }

  watch({ messageId: head, status } = this.#end) {
    const page = this.root.dataset.page || null
    this.#socket.send({ op: "watch", conversation: this.id, head: head ?? null, status: status ?? null, page })
  }

  // The message that the branch ends in, as far as the page knows; it need not show it.
  get #end() {
    const { head: messageId, headStatus: status } = this.root.dataset
    return this.#transcript.partial ? { messageId, status } : this.#transcript.last?.dataset ?? {}
  }

  /** Go to the end, also from messages far before it. */
  latest() {
    const far = this.#transcript.partial
    this.#transcript.close()
    if (far) this.watch({})
    leavePlace()
    this.follow.toEnd()
  }

  /** Something is about to come from the server, or should be. */
  get expecting() {
    return !this.#outbox.empty || Boolean(this.#transcript.running)
  }

  /** False: not yet, the server still has to place the last one; the text goes out then, unless it was changed. */
  send(text) {
    if (this.#pending) {
      this.#next = text
      return false
    }
    const parent = this.#end.messageId ?? null
    this.#transcript.close()
    this.#ask({ op: "send", conversation: this.id, parent, content: text, ...instructions(this.root) }, nodes => nodes.ask(text))
    return true
  }

  edit(article, text) {
    if (this.#pending) return false
    const message = article.dataset.messageId
    this.#ask({ op: "edit", message, content: text }, nodes => nodes.edit(article, text))
    return true
  }

  openEditor(article, text = article.querySelector("[data-content]").textContent) {
    openEditor(this.root, article, text, changed => this.edit(article, changed))
  }

  /** `op`: "regenerate" or "continue"; it is the server that knows which model began what goes on. */
  again(op, article, model = op === "continue" ? null : this.composer.model) {
    if (this.#pending) return
    const html = op === "continue" ? article.querySelector("[data-content]").innerHTML : ""
    this.#ask({ op, message: article.dataset.messageId, model }, nodes => nodes.again(article, html))
  }

  #ask(command, draw) {
    const id = newId()
    const focused = document.activeElement
    this.composer.refuse("")
    this.#pending = new Optimistic(this.root, this.#transcript, id)
    draw(this.#pending)
    if (!focused?.checkVisibility()) this.composer.button.focus({ preventScroll: true })
    this.follow.toEnd()
    this.#reflect()
    this.#outbox.post(id, { model: this.composer.model, ...command, id })
  }

  stop() {
    const article = this.#transcript.running
    if (!article || "stopping" in article.dataset) return
    const { generationId: generation, command } = article.dataset
    if (!generation && !this.#outbox.wasSent(command)) return this.#takeBack(this.#outbox.settle(command))
    article.dataset.stopping = ""
    this.#reflect()
    if (generation) this.#stops.ask(generation)
    else this.#stops.askByCommand(command)
  }

  /** The page's part when a plain stop form was used. */
  markStopping(generation) {
    const article = this.#transcript.byGeneration(generation)
    if (article?.dataset.status === "streaming") article.dataset.stopping = ""
    this.#reflect()
  }

  /** One event of the server. */
  receive(event) {
    this[`on_${event.op}`]?.(event)
    this.#reflect()
  }

  on_hello() {
    this.#watchedFor = null
    this.#answers.forget()
    this.watch()
    this.#outbox.replay()
  }

  on_transcript(event) {
    const command = this.#outbox.settle(event.id)
    const own = this.#pending !== null && this.#pending.id === event.id
    // The answer to something asked in a conversation that is no longer on the page: go on watching ours.
    if (!own && event.conversation !== this.id) return command && this.watch()
    this.root.dataset.head = event.head
    this.root.dataset.headStatus = event.generation ? "streaming" : ""
    // Somebody who reads far above the end finds it when they come there.
    if (!own && this.#transcript.partial) return
    const placed = this.#transcript.replaceBehind(event.after, event.html)
    if (own) this.#pending = null
    else if (placed) this.#pending?.reattach()
    if (placed) this.#more.observe()
    else this.#watchFromNothing(event.head)
    this.#moveTo(event)
    if (event.generation) this.#begin(event)
    else this.#stops.settle(event.id)
    if (own) this.#sendNext()
  }

  #begin({ id, generation }) {
    this.#answers.begin(generation)
    this.#stops.rename(id, generation)
    if (this.#stops.asked(generation)) this.markStopping(generation)
    else say(sentence("answering"))
  }

  on_snapshot(event) {
    const article = this.#transcript.byMessage(event.message)
    if (!article && this.#transcript.partial) return
    if (this.#answers.snapshot(article, event) === "gap") this.#watchFromNothing(event.generation)
  }

  on_delta(event) {
    if (this.#answers.delta(this.#transcript.byGeneration(event.generation), event) === "gap") this.watch()
  }

  on_stopping({ generation }) {
    this.#stops.settle(generation)
    this.markStopping(generation)
  }

  /** The answer to a stop that came too late. Where the page does not show that end yet, it asks for it. */
  on_standing({ generation }) {
    this.#stops.settle(generation)
    if (this.#transcript.byGeneration(generation)?.dataset.status === "streaming") this.watch()
  }

  on_saving({ generation }) {
    const article = this.#transcript.byGeneration(generation)
    if (article?.dataset.status !== "streaming") return
    article.dataset.saving = ""
    article.querySelector("[data-note]").innerHTML = "<p></p>"
    article.querySelector("[data-note] > p").textContent = sentence("saving")
  }

  on_end(event) {
    this.#stops.settle(event.generation)
    const article = this.#transcript.byGeneration(event.generation)
    const focused = article?.contains(document.activeElement)
    const verdict = this.#answers.end(article, event)
    if (verdict === "gap") this.watch()
    if (verdict !== "applied") return
    this.#reach.soon()
    if (focused && !article.contains(document.activeElement)) this.composer.button.focus({ preventScroll: true })
    say(event.announce)
  }

  on_activity({ conversation, title }) {
    if (conversation === this.id) setTitle(this.root, title)
    refreshSidebar()
  }

  on_refused({ id, refers, sentence: reason }) {
    if (refers === "stop") return this.#stopRefused(id, reason)
    const command = this.#outbox.settle(id)
    if (command && this.#pending?.id === id) this.#takeBack(command)
    else if (command?.op === "send") new Draft(this.#main.dataset.user, command.conversation).text = command.content
    this.composer.refuse(reason)
  }

  // `id` is that of the command which should have been stopped: it is not what was refused.
  #stopRefused(id, reason) {
    const running = this.#transcript.running?.dataset
    this.#stops.settle(id ?? running?.generationId)
    if (running) delete running.stopping
    this.composer.refuse(reason)
  }

  /** Undo what was shown of a command, and give its text back. */
  #takeBack(command) {
    this.#stops.settle(command.id)
    this.#pending.undo()
    this.#pending = this.#next = null
    if (command.op === "send") this.composer.restore(command.content)
    if (command.op === "edit") this.openEditor(this.#transcript.byMessage(command.message), command.content)
    this.#reflect()
  }

  #sendNext() {
    const text = this.#next
    this.#next = null
    if (text !== null && this.composer.text === text) this.composer.send()
  }

  // The page lacks what the server speaks of. Once for each reason: a loop of questions would help nobody.
  #watchFromNothing(reason) {
    if (this.#watchedFor === reason) return
    this.#watchedFor = reason
    this.watch({})
  }

  #moveTo({ conversation, url, title }) {
    setTitle(this.root, title)
    if (!this.#transcript.partial) leavePlace()
    if (this.id === conversation) return
    this.root.dataset.conversation = conversation
    this.composer.belongTo(this.#main.dataset.user, conversation)
    moveTo(url)
    refreshSidebar()
  }

  #reflect() {
    const running = this.#transcript.running?.dataset
    if (!running || "saving" in running) this.composer.show("idle")
    else this.composer.show("stopping" in running ? "stopping" : "streaming")
  }
}
