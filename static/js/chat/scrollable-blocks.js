/** Code, tables and formulas: those that scroll sideways can be focused and scrolled by keyboard; code can be copied. */
const SIDEWAYS = "[data-content] :is(pre > code, table, :has(> math))"
// The last block of a running answer may still change.
const UNFINISHED = "[data-status=streaming] > [data-content] > :last-child"
const DELAY = 150

export class Blocks {
  #messages
  #button
  #timer
  #observer = new ResizeObserver(() => this.updateSoon())

  constructor(root) {
    this.#messages = root.querySelector("[data-transcript]")
    this.#button = root.querySelector("[data-template=copy-code]").content.firstElementChild
    this.#observer.observe(this.#messages)
  }

  disconnect() {
    this.#observer.disconnect()
  }

  updateSoon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#makeFocusable()
      this.#addCopyButtons()
    }, DELAY)
  }

  #makeFocusable() {
    for (const block of this.#messages.querySelectorAll(SIDEWAYS)) {
      if (block.scrollWidth > block.clientWidth) block.tabIndex = 0
      else block.removeAttribute("tabindex")
    }
  }

  #addCopyButtons() {
    for (const block of this.#messages.querySelectorAll("[data-content] pre:not(:has(> [data-own]))")) {
      if (!block.closest(UNFINISHED)) block.append(this.#button.cloneNode(true))
    }
  }
}
