/** The form at the bottom: grows with its text, keeps a draft, and turns Send into Stop while an answer is written. */
import { Draft, joined, orphan } from "chat/draft"
import { fit } from "chat/height"
import { byFinger, enterSends, sends } from "chat/keys"
import { say, sentence } from "shell/status"

// The second click of a double click on Send must not stop what the first one started.
const DOUBLE_CLICK = 500
// From this share of the limit on, the characters are counted for all to see.
const NEAR = 0.9

const grouped = number => number.toLocaleString(document.documentElement.lang)

export class Composer {
  #form
  #text
  #draft
  #refusal
  #actions
  #sentAt = 0
  #before = ""

  /** `actions`: send(text) returns whether it was taken; stop(). */
  constructor(root, user, actions) {
    this.#form = root.querySelector("[data-composer]")
    this.#text = this.#form.elements.content
    this.#refusal = root.querySelector("[data-refusal]")
    this.#actions = actions
    this.belongTo(user, root.dataset.conversation)
    this.#text.enterKeyHint = enterSends() ? "send" : "enter"
    this.#text.addEventListener("input", () => this.#changed())
    this.#text.addEventListener("keydown", event => this.#pressed(event))
    this.#form.addEventListener("submit", event => this.#submitted(event))
    this.#form.querySelector("[data-send]").addEventListener("click", () => this.send())
    this.button.addEventListener("click", event => this.#clicked(event))
    this.#begin(this.#text.value, this.#draft.text)
    if (!root.dataset.conversation && !this.text) orphan(user).then(text => this.text || this.#set(text))
  }

  // `early`: typed before this script had come.
  #begin(early, draft) {
    if (!early || "pressed" in this.#form.dataset) this.#set(early || draft)
    else this.#set(joined(draft, early))
    this.#before = early ? draft : ""
  }

  /** Do what was asked for before this script had come. */
  catchUp() {
    const { pressed } = this.#form.dataset
    if (!pressed) return
    delete this.#form.dataset.pressed
    if (pressed === "streaming") this.#actions.stop()
    else this.send()
    if (this.#before) this.restore(this.#before)
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

  /** The server is within reach again: what was said of that is no longer true. */
  forgive(text) {
    if (this.#refusal.querySelector("[data-sentence]").textContent === text) this.refuse("")
  }

  /** Give a text back; before what was typed in the meantime. */
  restore(text) {
    this.#set(joined(text, this.#text.value))
  }

  send(text = this.#text.value) {
    if (!text.trim() || this.#tooLong(text)) return this.#text.focus()
    if (!this.#actions.send(text.trim())) return
    this.#sentAt = performance.now()
    this.#form.parentElement.querySelector("[data-missed]")?.remove()
    if (text === this.#text.value) this.#set("")
    if (byFinger()) this.#text.blur() // The keyboard covers half of the answer.
  }

  #set(text) {
    this.#text.value = text
    this.#draft.text = text
    this.#measure()
  }

  #changed() {
    this.refuse("")
    this.#draft.text = this.#text.value
    this.#measure()
  }

  #pressed(event) {
    if (!sends(event)) return
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

  get #limit() {
    return Number(this.#form.dataset.limit) || Infinity
  }

  // The server counts characters, JavaScript counts UTF-16 units: never fewer.
  #length(text) {
    return text.length > this.#limit ? [...text].length : text.length
  }

  #tooLong(text) {
    const over = this.#length(text.trim()) - this.#limit
    if (over > 0) this.refuse(this.#sentenceOver(over))
    return over > 0
  }

  #sentenceOver(over) {
    return sentence("tooLong", { count: grouped(over), limit: grouped(this.#limit) })
  }

  // How high the text is, and near the limit how long.
  #measure() {
    fit(this.#text)
    const count = this.#form.querySelector("[data-count]")
    const length = this.#length(this.text)
    const over = length - this.#limit
    if (over > 0 && !("over" in count.dataset)) say(this.#sentenceOver(over))
    count.toggleAttribute("data-over", over > 0)
    count.hidden = length < NEAR * this.#limit
    count.textContent = `${grouped(length)} / ${grouped(this.#limit)}`
  }
}
