/** Counts the characters of the prompt near its limit, and says when they are too many. */
import { announce, sentence } from "shell/status"

// The count shows from this share of the limit on.
const NEAR = 0.9

const grouped = number => number.toLocaleString(document.documentElement.lang)

export class LengthLimit {
  #limit
  #count

  constructor(form) {
    this.#limit = Number(form.dataset.limit) || Infinity
    this.#count = form.querySelector("[data-count]")
  }

  /** The sentence to refuse the text with; "" if it is short enough. */
  refusal(text) {
    const over = this.#length(text.trim()) - this.#limit
    return over > 0 ? this.#sentence(over) : ""
  }

  /** Show how long the text is. */
  update(text) {
    const length = this.#length(text.trim())
    const over = length - this.#limit
    if (over > 0 && !("over" in this.#count.dataset)) announce(this.#sentence(over))
    this.#count.toggleAttribute("data-over", over > 0)
    this.#count.hidden = length < NEAR * this.#limit
    this.#count.textContent = `${grouped(length)} / ${grouped(this.#limit)}`
  }

  // The server counts characters, JavaScript counts UTF-16 units, which are never fewer.
  #length(text) {
    return text.length > this.#limit ? [...text].length : text.length
  }

  #sentence(over) {
    return sentence("tooLong", { count: grouped(over), limit: grouped(this.#limit) })
  }
}
