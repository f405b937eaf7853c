/** The form at the bottom: it grows with its text, keeps a draft, and shows Stop in place of Send during an answer. */
import { Draft, joined, takeOrphan } from "chat/draft"
import { enterSends, fitHeight, isSendKey, isTouch } from "chat/text-box"
import { announce, sentence } from "shell/status"

// Milliseconds. The second click of a double click on Send must not stop the answer.
const DOUBLE_CLICK = 500
// The characters are counted from this share of the limit on.
const NEAR = 0.9

const grouped = number => number.toLocaleString(document.documentElement.lang)

export class Composer {
  #form
  #text
  #draft
  #refusal
  #actions
  #sentAt = 0
  // The draft that was kept apart from a text to be sent first.
  #before = ""

  /** `actions`: send(text) returns whether the text was sent; stop(). */
  constructor(root, user, actions) {
    this.#form = root.querySelector("[data-composer]")
    this.#text = this.#form.elements.content
    this.#refusal = root.querySelector("[data-refusal]")
    this.#actions = actions
    this.moveDraft(user, root.dataset.conversation)
    this.#text.enterKeyHint = enterSends() ? "send" : "enter"
    this.#listen()
    this.#begin(this.#text.value, this.#draft.text)
    if (!root.dataset.conversation && !this.text) takeOrphan(user).then(text => this.text || this.#set(text))
  }

  #listen() {
    this.#text.addEventListener("input", () => this.#changed())
    this.#text.addEventListener("keydown", event => this.#pressed(event))
    this.#form.addEventListener("submit", event => this.#submitted(event))
    this.#form.querySelector("[data-send]").addEventListener("click", () => this.send())
    this.#button.addEventListener("click", event => this.#clicked(event))
  }

  // `early`: typed before the scripts were loaded. If it was sent as well, the draft must not go with it.
  #begin(early, draft) {
    if (!early || "pressed" in this.#form.dataset) this.#set(early || draft)
    else this.#set(joined(draft, early))
    this.#before = early ? draft : ""
  }

  /** Carry out what was pressed before the scripts were loaded. */
  catchUp() {
    const { pressed } = this.#form.dataset
    if (!pressed) return
    delete this.#form.dataset.pressed
    if (pressed === "streaming") this.#actions.stop()
    else this.send()
    if (this.#before) this.restore(this.#before)
  }

  get #button() {
    return this.#form.querySelector("[data-submit]")
  }

  get text() {
    return this.#text.value.trim()
  }

  get model() {
    return this.#form.elements.model?.value || null
  }

  /** Keep the draft for this person and conversation from now on; what is in the box moves there. */
  moveDraft(user, conversation) {
    const moved = this.#draft && this.#text.value
    if (this.#draft) this.#draft.text = ""
    this.#draft = new Draft(user, conversation)
    if (moved) this.#draft.text = moved
  }

  focus() {
    this.#text.focus({ preventScroll: true })
  }

  focusButton() {
    this.#button.focus({ preventScroll: true })
  }

  /** `state`: "idle", "streaming" or "stopping". */
  show(state) {
    this.#form.dataset.state = state
    this.#button.ariaDisabled = state === "stopping" ? "true" : null
  }

  /** Show why something was refused; "" hides it. */
  refuse(text) {
    this.#refusal.querySelector("[data-sentence]").textContent = text
    this.#refusal.hidden = !text
  }

  /** Hide this refusal, which no longer holds. */
  withdrawRefusal(text) {
    if (this.#refusal.querySelector("[data-sentence]").textContent === text) this.refuse("")
  }

  /** Put a text before what is in the box. */
  restore(text) {
    this.#set(joined(text, this.#text.value))
  }

  send(text = this.#text.value) {
    if (!text.trim() || this.#isTooLong(text)) return this.#text.focus()
    if (!this.#actions.send(text.trim())) return
    this.#sentAt = performance.now()
    this.#form.parentElement.querySelector("[data-missed]")?.remove()
    if (text === this.#text.value) this.#set("")
    if (isTouch()) this.#text.blur() // or the keyboard would cover half of the answer
  }

  get #limit() {
    return Number(this.#form.dataset.limit) || Infinity
  }

  // The server counts characters, JavaScript counts UTF-16 units, which are never fewer.
  #length(text) {
    return text.length > this.#limit ? [...text].length : text.length
  }

  #isTooLong(text) {
    const over = this.#length(text.trim()) - this.#limit
    if (over > 0) this.refuse(this.#tooLong(over))
    return over > 0
  }

  #tooLong(over) {
    return sentence("tooLong", { count: grouped(over), limit: grouped(this.#limit) })
  }

  #showLength() {
    const count = this.#form.querySelector("[data-count]")
    const length = this.#length(this.text)
    const over = length - this.#limit
    if (over > 0 && !("over" in count.dataset)) announce(this.#tooLong(over))
    count.toggleAttribute("data-over", over > 0)
    count.hidden = length < NEAR * this.#limit
    count.textContent = `${grouped(length)} / ${grouped(this.#limit)}`
  }

  #set(text) {
    this.#text.value = text
    this.#save()
  }

  #changed() {
    this.refuse("")
    this.#save()
  }

  #save() {
    this.#draft.text = this.#text.value
    fitHeight(this.#text)
    this.#showLength()
  }

  #pressed(event) {
    if (!isSendKey(event)) return
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
}
