/** What each event of the server (docs/protocol.md) changes on the page. */
import { clearMessageAddress, pushAddress, setTitle } from "chat/address"
import { keepEditors } from "chat/editor"
import { endWait } from "chat/wait-note"
import { refreshSidebar } from "shell/sidebar"
import { announce, sentence } from "shell/status"

export class ServerEvents {
  #conversation

  constructor(conversation) {
    this.#conversation = conversation
  }

  handle(event) {
    this[`on_${event.op}`]?.(event)
  }

  on_hello() {
    const { outbox, stopping, streams, subscription } = this.#conversation
    subscription.reset()
    streams.forget()
    subscription.subscribe()
    outbox.replay()
    stopping.repeatCancelled()
  }

  on_transcript(event) {
    const { asking, id, outbox, subscription, stopping, transcript } = this.#conversation
    const command = outbox.remove(event.id)
    const own = asking.pending !== null && asking.pending.id === event.id
    // The answer to a command from a conversation that is no longer on the page: subscribe to the present one again.
    if (!own && event.conversation !== id) return command && subscription.subscribe()
    this.#noteHead(event)
    // Far above the end, the new messages are loaded when the person gets there.
    if (!own && transcript.partial) return
    this.#replace(event, own)
    this.#showAddress(event)
    if (event.generation) this.#begin(event)
    else stopping.answered(event.id)
    if (own) asking.sendNext()
  }

  #noteHead({ head, generation }) {
    const { dataset } = this.#conversation.root
    dataset.head = head
    if (head !== dataset.branch) delete dataset.branch
    dataset.headStatus = generation ? "streaming" : ""
  }

  #replace({ after, html, head }, own) {
    const { asking, paging, root, subscription, transcript } = this.#conversation
    let placed
    keepEditors(root, () => placed = transcript.replaceAfter(after, html), (...open) => this.#reopenEditor(...open))
    if (own) asking.answered()
    else if (placed) asking.pending?.reattach()
    if (placed) paging.observe()
    else subscription.restart(head)
  }

  // If another version has replaced the message, the text goes to the composer.
  #reopenEditor(message, text) {
    const { composer, transcript } = this.#conversation
    const article = transcript.byMessage(message)
    if (article) return this.#conversation.openEditor(article, text)
    composer.restore(text)
    composer.refuse(sentence("editorMoved"))
  }

  #showAddress({ conversation: id, url, title }) {
    const { composer, root, transcript, user } = this.#conversation
    setTitle(root, title)
    if (!transcript.partial) clearMessageAddress()
    if (this.#conversation.id === id) return
    root.dataset.conversation = id
    composer.moveDraft(user, id)
    pushAddress(url)
    refreshSidebar()
  }

  #begin({ id, generation }) {
    const { stopping, streams } = this.#conversation
    streams.begin(generation)
    if (!stopping.began(id, generation)) announce(sentence("answering"))
  }

  on_snapshot(event) {
    const { streams, subscription, transcript } = this.#conversation
    const article = transcript.byMessage(event.message)
    if (!article && transcript.partial) return
    if (streams.snapshot(article, event) === "gap") subscription.restart(event.generation)
  }

  on_delta(event) {
    const { streams, subscription, transcript } = this.#conversation
    const article = transcript.byGeneration(event.generation)
    if (streams.delta(article, event) === "gap") subscription.subscribe()
    endWait(article)
  }

  on_stopping({ generation }) {
    this.#conversation.stopping.answered(generation)
    this.#conversation.stopping.markStopping(generation)
  }

  on_standing(event) {
    this.#conversation.stopping.tooLate(event)
  }

  on_saving({ generation }) {
    const article = this.#conversation.transcript.byGeneration(generation)
    if (article?.dataset.status !== "streaming") return
    article.dataset.saving = ""
    article.querySelector("[data-note]").innerHTML = "<p></p>"
    article.querySelector("[data-note] > p").textContent = sentence("saving")
  }

  on_end(event) {
    const { blocks, composer, stopping, streams, subscription, transcript } = this.#conversation
    stopping.answered(event.generation)
    const article = transcript.byGeneration(event.generation)
    const focused = article?.contains(document.activeElement)
    const verdict = streams.end(article, event)
    if (verdict === "gap") subscription.subscribe()
    if (verdict !== "applied") return
    blocks.updateSoon()
    if (focused && !article.contains(document.activeElement)) composer.focusButton()
    announce(event.announce)
  }

  on_activity({ conversation: id, title }) {
    if (id === this.#conversation.id) setTitle(this.#conversation.root, title)
    refreshSidebar()
  }

  on_refused({ id, refers, code, sentence: reason }) {
    const { outbox, stopping, unsent } = this.#conversation
    if (refers === "stop") stopping.refused(id, code, reason)
    else unsent.giveBack(outbox.remove(id), reason)
  }
}
