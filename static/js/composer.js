/** The form at the bottom: grows with its text, keeps a draft, and turns Send into Stop while an answer is written. */
import { Draft } from "chat/draft"
import { sentence } from "chat/says"

// The second click of a double click on Send must not stop what the first one started.
const DOUBLE_CLICK = 500

export class Composer {
  #form
  #text
  #draft
  #refusal
  #actions
  #sentAt = 0

  /** `actions`: send(text) returns whether it was taken; stop(). */
  constructor(root, user, actions) {
    this.#form = root.querySelector("[data-composer]")
    this.#text = this.#form.elements.content
    this.#refusal = root.querySelector("[data-refusal]")
    this.#actions = actions
    this.belongTo(user, root.dataset.conversation)
    this.#text.value ||= this.#draft.text
    this.#text.addEventListener("input", () => this.#changed())
    this.#text.addEventListener("keydown", event => this.#pressed(event))
    this.#form.addEventListener("submit", event => this.#submitted(event))
    this.button.addEventListener("click", event => this.#clicked(event))
    this.#grow()
  }

  get button() {
    return this.#form.querySelector("[data-submit]")
  }

  get text() {
    return this.#text.value.trim()
  }

  get model() {
    return this.#form.elements.model?.value || null
  }

  /** Whose draft this is. What is in the box moves along. */
  belongTo(user, conversation) {
    const moved = this.#draft && this.#text.value
    if (this.#draft) this.#draft.text = ""
    this.#draft = new Draft(user, conversation)
    if (moved) this.#draft.text = moved
  }

  focus() {
    this.#text.focus({ preventScroll: true })
  }

  /** "idle", "streaming" or "stopping". */
  show(state) {
    this.#form.dataset.state = state
    this.button.ariaDisabled = state === "stopping" ? "true" : null
  }

  refuse(text) {
    this.#refusal.querySelector("[data-sentence]").textContent = text
    this.#refusal.hidden = !text
  }

  /** Give a text back, unless something else was typed in the meantime. */
  restore(text) {
    if (!this.#text.value.trim()) this.#set(text)
  }

  send(text = this.#text.value) {
    if (!text.trim() || this.#tooLong(text)) return this.#text.focus()
    if (!this.#actions.send(text.trim())) return
    this.#sentAt = performance.now()
    this.#form.parentElement.querySelector("[data-missed]")?.remove()
    if (text === this.#text.value) this.#set("")
  }

  #set(text) {
    this.#text.value = text
    this.#draft.text = text
    this.#grow()
  }

  #changed() {
    this.refuse("")
    this.#draft.text = this.#text.value
    this.#grow()
  }

  #pressed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return
    const sends = document.getElementById("main").dataset.enterSends !== "false"
    if (!sends && !event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    if (!event.repeat) this.send()
  }

  #submitted(event) {
    event.preventDefault()
    if (this.#form.dataset.state === "idle") this.send()
  }

  #clicked(event) {
    if (this.#form.dataset.state !== "streaming") return
    event.preventDefault()
    if (event.detail > 1 && performance.now() - this.#sentAt < DOUBLE_CLICK) return
    this.#actions.stop()
  }

  // The server counts characters, JavaScript counts UTF-16 units: never fewer.
  #tooLong(text) {
    const limit = Number(this.#form.dataset.limit) || Infinity
    const length = text.length > limit ? [...text].length : text.length
    if (length > limit) this.refuse(sentence("tooLong", { count: length - limit, limit }))
    return length > limit
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return
    this.#text.style.blockSize = "auto"
    this.#text.style.blockSize = `${this.#text.scrollHeight}px`
  }
}
