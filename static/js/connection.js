/** Whether the socket is there, for people: nothing for a moment's absence, a slim bar after that. */
import { say } from "chat/says"

const PATIENCE = 1000

export class Connection {
  #main
  #timer

  constructor(main) {
    this.#main = main
  }

  show(state) {
    this.#main.dataset.connection = state
    if (state === "open") this.hide()
    else this.#timer ??= setTimeout(() => this.#reveal(), PATIENCE)
  }

  hide() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#bar.hidden = true
  }

  get #bar() {
    return this.#main.querySelector("[data-reconnecting]")
  }

  #reveal() {
    this.#bar.hidden = false
    say(this.#bar.textContent)
  }
}
