/** Code, tables and formulas that scroll sideways can be reached and scrolled by keyboard; finished code can be copied. */
const SIDEWAYS = "[data-content] :is(pre > code, table, :has(> math))"
// The last block of an answer that is being written may still change.
const UNFINISHED = "[data-status=streaming] > [data-content] > :last-child"
const PAUSE = 150

export class Reach {
  #messages
  #button
  #timer
  #observer = new ResizeObserver(() => this.soon())

  constructor(root) {
    this.#messages = root.querySelector("[data-transcript]")
    this.#button = root.querySelector("[data-template=copy-code]").content.firstElementChild
    this.#observer.observe(this.#messages)
  }

  disconnect() {
    this.#observer.disconnect()
  }

  /** Look at all of it in a moment. */
  soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#letReach()
      this.#offerCopies()
    }, PAUSE)
  }

  #letReach() {
    for (const block of this.#messages.querySelectorAll(SIDEWAYS)) {
      if (block.scrollWidth > block.clientWidth) block.tabIndex = 0
      else block.removeAttribute("tabindex")
    }
  }

  #offerCopies() {
    for (const block of this.#messages.querySelectorAll("[data-content] pre:not(:has(> [data-own]))")) {
      if (!block.closest(UNFINISHED)) block.append(this.#button.cloneNode(true))
    }
  }
}
