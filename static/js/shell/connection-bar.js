/**
 * The bar that says the server cannot be reached: after a second, or at once if that is certain. While it shows,
 * `main[data-away]` is set, and nothing on the page may look as if it went on.
 */
import { announce, sentence } from "shell/status"

const DELAY = 1000
const CERTAIN = ["offline", "lost"]

export class ConnectionBar {
  #main
  #changed
  #timer

  /** `changed(away)` is called when the bar comes and goes. */
  constructor(main, changed) {
    this.#main = main
    this.#changed = changed
  }

  /** `state`: as the socket reports it (net/socket). */
  show(state) {
    const certain = CERTAIN.includes(state)
    this.#main.dataset.connection = certain ? "closed" : state
    if (state === "open") this.hide()
    else if (certain) this.#reveal()
    else this.#timer ??= setTimeout(() => this.#reveal(), DELAY)
  }

  hide() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!("away" in this.#main.dataset)) return
    this.#bar.hidden = true
    delete this.#main.dataset.away
    this.#changed(false)
  }

  get #bar() {
    return this.#main.querySelector("[data-reconnecting]")
  }

  #reveal() {
    const text = sentence(navigator.onLine ? "noAnswer" : "noNetwork")
    if (!this.#bar.hidden && this.#bar.textContent === text) return
    this.#bar.textContent = text
    this.#bar.hidden = false
    this.#main.dataset.away = ""
    this.#changed(true)
    announce(text)
  }
}
