/** The conversation on the page: what the person does becomes commands, what the server says changes the page. */
import { Answers } from "chat/answers"
import { Composer } from "chat/composer"
import { Draft } from "chat/draft"
import { keepEditors, openEditor } from "chat/editor"
import { Follow } from "chat/follow"
import { newId } from "net/ids"
import { instructions } from "shell/dialogs"
import { More } from "chat/more"
import { Optimistic } from "chat/optimistic"
import { leavePlace, moveTo, setTitle } from "chat/place"
import { Reach } from "chat/scrollable"
import { say, sentence } from "shell/status"
import { refreshSidebar } from "shell/sidebar"
import { size } from "net/socket"
import { Stops } from "net/stop"
import { Transcript } from "chat/transcript"
import { endWait, tellWait } from "chat/waiting"

// What was written elsewhere and is sent from here is drawn only if the server does not answer at once.
const DRAW_AFTER = 700

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
  #away = false
  // Commands that were taken back, and may have reached the server all the same.
  #cancelled = []

  constructor(main, socket, outbox) {
    this.#main = main
    this.#socket = socket
    this.#outbox = outbox
    this.#stops = new Stops(socket, outbox)
    this.show(null)
    setInterval(() => this.#away || tellWait(this.#transcript.running), 1000)
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
    this.#resume(this.root)
    this.composer.catchUp()
  }

  // What was typed here and has not come to the server yet: in this tab, or in one that was closed since.
  async #resume(root) {
    const [letter] = await this.#outbox.of(this.id)
    if (!letter || root !== this.root || this.#pending || !this.#outbox.has(letter.command.id)) return
    const pending = this.#pending = new Optimistic(root, this.#transcript, letter.command.id)
    setTimeout(() => this.#pending === pending && this.#redraw(letter.command), DRAW_AFTER)
  }

  #redraw({ op, content, message }) {
    const article = op === "edit" && this.#transcript.byMessage(message)
    if (article) this.#pending.edit(article, content)
    else this.#pending.ask(content)
    this.follow.toEnd()
    this.#reflect()
  }

  #placeToShow(top) {
    const found = this.root.querySelector("[data-found]")
    if (!found) return this.#transcript.last ? top : 0
    found.focus({ preventScroll: true })
    found.scrollIntoView()
    return this.root.querySelector("[data-scroller]").scrollTop
  }

  watch({ messageId: head, status } = this.#end) {
    const { page = null, branch = null } = this.root.dataset
    const shown = { head: head ?? null, status: status ?? null, page: page || null, branch }
    this.#socket.send({ op: "watch", conversation: this.id, ...shown })
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
    if (this.#waits()) {
      this.#next = text
      return false
    }
    const parent = this.#end.messageId ?? null
    const command = { op: "send", conversation: this.id, parent, content: text, ...instructions(this.root) }
    if (!this.#fits(command)) return false
    this.#transcript.close()
    this.#ask(command, nodes => nodes.ask(text))
    return true
  }

  // Whether something else still waits for its answer; while the server is away, that may take long.
  #waits() {
    if (this.#pending && this.#away) this.composer.refuse(sentence("waitsBehind"))
    return this.#pending !== null
  }

  // The room is for the command's own id and the model, which are not in it yet.
  #fits(command) {
    const fits = size({ ...command, id: newId(), model: this.composer.model }) <= Number(this.#main.dataset.frameLimit)
    if (!fits) this.composer.refuse(sentence("tooLarge"))
    return fits
  }

  edit(article, text) {
    if (this.#waits()) return false
    const command = { op: "edit", message: article.dataset.messageId, content: text }
    if (!this.#fits(command)) return false
    this.#ask(command, nodes => nodes.edit(article, text))
    return true
  }

  openEditor(article, text = article.querySelector("[data-content]").textContent) {
    return openEditor(this.root, article, text, changed => this.edit(article, changed))
  }

  // The message may have given way to another version; then there is one place left for the text.
  #reopenEditor(message, text) {
    const article = this.#transcript.byMessage(message)
    if (article) return this.openEditor(article, text)
    this.composer.restore(text)
    this.composer.refuse(sentence("editorMoved"))
  }

  /** `op`: "regenerate" or "continue"; it is the server that knows which model began what goes on. */
  again(op, article, model = op === "continue" ? null : this.composer.model) {
    if (this.#waits()) return
    const html = op === "continue" ? article.querySelector("[data-content]").innerHTML : ""
    this.#ask({ op, message: article.dataset.messageId, model }, nodes => nodes.again(article, html))
  }

  #ask(command, draw) {
    const id = newId()
    const focused = document.activeElement
    this.composer.refuse("")
    this.#pending = new Optimistic(this.root, this.#transcript, id)
    draw(this.#pending)
    // `checkVisibility` came late to Safari; without it nothing is lost but the focus.
    if (!(focused?.checkVisibility?.() ?? focused?.isConnected)) this.composer.button.focus({ preventScroll: true })
    this.follow.toEnd()
    this.#reflect()
    this.#outbox.post(id, { model: this.composer.model, ...command, id }, this.id)
  }

  /** Take back what waits to be sent. */
  cancel() {
    if (!this.#pending) return
    if (this.#outbox.wasSent(this.#pending.id)) this.#stopUnseen(this.#pending.id)
    this.#takeBack(this.#outbox.settle(this.#pending.id))
    this.composer.focus()
  }

  /** The server has gone out of reach, or is back. */
  showAway(away) {
    this.#away = away
    if (!away) {
      for (const name of ["failed", "waitsBehind"]) this.composer.forgive(sentence(name))
    }
    this.#reflect()
  }

  // The command may be on its way: then this follows it in the same breath. The next connection tells it once more.
  #stopUnseen(id) {
    this.#socket.send({ op: "stop", id })
    this.#cancelled.push(id)
  }

  stop() {
    const article = this.#transcript.running
    if (!article || "stopping" in article.dataset) return
    const { generationId: generation, command } = article.dataset
    if (!generation && !this.#outbox.wasSent(command)) return this.cancel()
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

  /** That form did not come through. */
  stopFailed(generation) {
    delete this.#transcript.byGeneration(generation)?.dataset.stopping
    this.composer.refuse(sentence("stopFailed"))
    this.#reflect()
  }

  /** The connection ended. What cannot be sent is given back, so that it does not end the next one, too. */
  lost(code) {
    for (const letter of this.#outbox.lost(code)) this.#giveBack(letter, sentence("notTaken"))
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
    for (const id of this.#cancelled.splice(0)) this.#socket.send({ op: "stop", id })
  }

  on_transcript(event) {
    const letter = this.#outbox.settle(event.id)
    const own = this.#pending !== null && this.#pending.id === event.id
    // The answer to something asked in a conversation that is no longer on the page: go on watching ours.
    if (!own && event.conversation !== this.id) return letter && this.watch()
    this.root.dataset.head = event.head
    if (event.head !== this.root.dataset.branch) delete this.root.dataset.branch
    this.root.dataset.headStatus = event.generation ? "streaming" : ""
    // Somebody who reads far above the end finds it when they come there.
    if (!own && this.#transcript.partial) return
    const placed = this.#place(event)
    if (own) this.#pending = null
    else if (placed) this.#pending?.reattach()
    if (placed) this.#more.observe()
    else this.#watchFromNothing(event.head)
    this.#moveTo(event)
    if (event.generation) this.#begin(event)
    else this.#stops.settle(event.id)
    if (own) this.#sendNext()
  }

  #place({ after, html }) {
    let placed
    keepEditors(this.root, () => placed = this.#transcript.replaceBehind(after, html), (...open) => this.#reopenEditor(...open))
    return placed
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
    const article = this.#transcript.byGeneration(event.generation)
    if (this.#answers.delta(article, event) === "gap") this.watch()
    endWait(article)
  }

  on_stopping({ generation }) {
    this.#stops.settle(generation)
    this.markStopping(generation)
  }

  /** The answer to a stop that came too late. Where the page does not show that end as it is, it asks for it. */
  on_standing({ id, generation, reason }) {
    this.#stops.settle(generation)
    this.#stops.settle(id)
    const shown = this.#transcript.byGeneration(generation)?.dataset
    // The answer to the command itself went astray; repeated, it gets that answer.
    if (this.#outbox.has(id)) this.#outbox.repeat(id)
    else if (shown?.status === "streaming") this.watch()
    // The note of an answer that ended while the network was gone tells of this stop now.
    else if (shown && reason === "connection_lost") this.watch({ ...shown, status: "streaming" })
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

  on_refused({ id, refers, code, sentence: reason }) {
    if (refers === "stop") this.#stopRefused(id, code, reason)
    else this.#giveBack(this.#outbox.settle(id), reason)
  }

  /** What was typed is not lost, wherever the page is by now. */
  #giveBack(letter, reason) {
    const { command, place } = letter ?? {}
    if (command && this.#pending?.id === command.id) this.#takeBack(letter)
    else if (command?.content) new Draft(this.#main.dataset.user, place).give(command.content)
    this.composer.refuse(reason)
  }

  // `id` is that of the command which should have been stopped: it is not what was refused.
  #stopRefused(id, code, reason) {
    if (id) this.#stops.settle(id)
    else this.#stops.settleAll()
    // The server does not know the command that the page waits for: nothing will come of it.
    if (id && code === "not_found" && this.#outbox.has(id)) return this.#giveBack(this.#outbox.settle(id), reason)
    const running = this.#transcript.running?.dataset
    if (running) delete running.stopping
    if (running || code !== "not_found") this.composer.refuse(reason)
  }

  /** Undo what was shown of a command, and give its text back. */
  #takeBack({ command }) {
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
    if (this.#pending && !this.#stops.asked(this.#pending.id)) this.#pending.wait(this.#away)
    const running = this.#transcript.running?.dataset
    if (!running || "saving" in running) this.composer.show("idle")
    else this.composer.show("stopping" in running ? "stopping" : "streaming")
  }
}
