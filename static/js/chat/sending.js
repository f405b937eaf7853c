/** Sends what the person asks for, and shows it at once. The next command waits until the server has answered this one. */
import { newChatSettings } from "chat/conversation-settings"
import { Optimistic } from "chat/optimistic-messages"
import { newId } from "net/ids"
import { size } from "net/socket"
import { sentence } from "shell/status"

export class Asking {
  #conversation
  // What the page shows of the unanswered command.
  #pending = null
  // A text to send after it.
  #next = null

  constructor(conversation) {
    this.#conversation = conversation
  }

  get pending() {
    return this.#pending
  }

  /** Forget what waits: another conversation is shown, or the command was undone. */
  reset() {
    this.#pending = this.#next = null
  }

  /** Returns false if the text is not sent yet. If a command waits, the text follows it, unless it is changed by then. */
  send(text) {
    const { id, root, subscription, transcript } = this.#conversation
    if (this.#isBusy()) {
      this.#next = text
      return false
    }
    const parent = subscription.end.messageId ?? null
    const command = { op: "send", conversation: id, parent, content: text, ...newChatSettings(root) }
    if (!this.#fits(command)) return false
    transcript.skipNewer()
    this.#ask(command, pending => pending.send(text))
    return true
  }

  /** Returns whether the text was sent. */
  edit(article, text) {
    if (this.#isBusy()) return false
    const command = { op: "edit", message: article.dataset.messageId, content: text }
    if (!this.#fits(command)) return false
    this.#ask(command, pending => pending.edit(article, text))
    return true
  }

  /** `op`: "regenerate" or "continue". The server knows which model began the answer that is continued. */
  rewrite(op, article, model = op === "continue" ? null : this.#conversation.composer.model) {
    if (this.#isBusy()) return
    const html = op === "continue" ? article.querySelector("[data-content]").innerHTML : ""
    this.#ask({ op, message: article.dataset.messageId, model }, pending => pending.rewrite(article, html))
  }

  // While the server is unreachable, the wait may be long.
  #isBusy() {
    const { away, composer } = this.#conversation
    if (this.#pending && away) composer.refuse(sentence("waitsBehind"))
    return this.#pending !== null
  }

  // Counts the id and the model, which are added later.
  #fits(command) {
    const { composer, main } = this.#conversation
    const fits = size({ ...command, id: newId(), model: composer.model }) <= Number(main.dataset.frameLimit)
    if (!fits) composer.refuse(sentence("tooLarge"))
    return fits
  }

  #ask(command, draw) {
    const { composer, follow, id: place, outbox } = this.#conversation
    const id = newId()
    const focused = document.activeElement
    composer.refuse("")
    draw(this.hold(id))
    // Older Safari lacks `checkVisibility`; only the focus is lost there.
    if (!(focused?.checkVisibility?.() ?? focused?.isConnected)) composer.focusButton()
    follow.toEnd()
    this.#conversation.update()
    outbox.post(id, { model: composer.model, ...command, id }, place)
  }

  /** The command `id` is pending: further ones wait for it. Returns what draws it. */
  hold(id) {
    const { root, transcript } = this.#conversation
    this.#pending = new Optimistic(root, transcript, id)
    return this.#pending
  }

  /** The transcript for the pending command has replaced what was shown of it. */
  answered() {
    this.#pending = null
  }

  sendNext() {
    const { composer } = this.#conversation
    const text = this.#next
    this.#next = null
    if (text !== null && composer.text === text) composer.send()
  }

  updateUnsent() {
    const { away, stopping } = this.#conversation
    if (this.#pending && !stopping.waitsFor(this.#pending.id)) this.#pending.setUnsent(away)
  }
}
