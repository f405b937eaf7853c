/**
 * Whether the server is there, for people: nothing for a moment's absence, a slim bar after that; at once where there
 * is no doubt. `main[data-away]` while the bar stands: nothing on the page may look as if it went on.
 */
import { say, sentence } from "shell/status"

const PATIENCE = 1000
const NO_DOUBT = ["offline", "lost"]

export class Connection {
  #main
  #changed
  #timer

  /** `changed(away)`: called when the bar comes and goes. */
  constructor(main, changed) {
    this.#main = main
    this.#changed = changed
  }

  /** "connecting", "open", "closed", or why one can be sure: "offline" (says the browser), "lost" (nothing answers). */
  show(state) {
    this.#main.dataset.connection = NO_DOUBT.includes(state) ? "closed" : state
    if (state === "open") this.hide()
    else if (NO_DOUBT.includes(state)) this.#reveal()
    else this.#timer ??= setTimeout(() => this.#reveal(), PATIENCE)
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
    say(text)
  }
}
