/** Commands that the server has not taken: shown again after a reload, or given back to the person. */
import { Draft } from "chat/draft"
import { sentence } from "shell/status"

// Milliseconds. After a reload, an unanswered command is shown only if the server does not answer soon.
const DRAW_DELAY = 700

export class Unsent {
  #conversation

  constructor(conversation) {
    this.#conversation = conversation
  }

  /** Take up the command that was left unanswered in this conversation, by this tab or by one that is closed. */
  async resume() {
    const { asking, id, outbox, root } = this.#conversation
    const [entry] = await outbox.unanswered(id)
    if (!entry || root !== this.#conversation.root || asking.pending || !outbox.has(entry.command.id)) return
    const pending = asking.hold(entry.command.id)
    setTimeout(() => asking.pending === pending && this.#redraw(pending, entry.command), DRAW_DELAY)
  }

  #redraw(pending, { op, content, message }) {
    const { follow, transcript } = this.#conversation
    const article = op === "edit" && transcript.byMessage(message)
    if (article) pending.edit(article, content)
    else pending.send(content)
    follow.toEnd()
    this.#conversation.update()
  }

  /** Withdraw the command that waits to be sent. */
  cancel() {
    const { asking: { pending }, composer, outbox, stopping } = this.#conversation
    if (!pending) return
    if (outbox.wasSent(pending.id)) stopping.stopCancelled(pending.id)
    this.#undo(outbox.remove(pending.id))
    composer.focus()
  }

  /** The connection ended with `code`. Give back what cannot be sent, so that it does not end the next one too. */
  giveUpAfter(code) {
    for (const entry of this.#conversation.outbox.giveUpAfter(code)) this.giveBack(entry, sentence("notTaken"))
  }

  /** Give the text back where it was typed, whatever is on the page by now, and say why. `entry`: as in net/outbox. */
  giveBack(entry, reason) {
    const { asking, composer, user } = this.#conversation
    const { command, place } = entry ?? {}
    if (command && asking.pending?.id === command.id) this.#undo(entry)
    else if (command?.content) new Draft(user, place).prepend(command.content)
    composer.refuse(reason)
  }

  // Remove what was shown of a command, and give its text back.
  #undo({ command }) {
    const { asking, composer, stopping, transcript } = this.#conversation
    stopping.answered(command.id)
    asking.pending.undo()
    asking.reset()
    if (command.op === "send") composer.restore(command.content)
    if (command.op === "edit") this.#conversation.openEditor(transcript.byMessage(command.message), command.content)
    this.#conversation.update()
  }
}
