/** The messages on the page, in order. Those from the server have a message id, optimistic ones do not. */
export class Transcript {
  #list

  constructor(root) {
    this.#list = root.querySelector("[data-transcript]")
  }

  /** The last message from the server. */
  get last() {
    return [...this.#list.querySelectorAll(":scope > [data-message-id]")].at(-1)
  }

  /** The running answer that is shown last, if any; not one whose prompt is unsent. */
  get running() {
    return [...this.#list.querySelectorAll(":scope > [data-status=streaming]:not([hidden], [data-unsent])")].at(-1)
  }

  /** Whether newer messages are not loaded. */
  get partial() {
    return Boolean(this.#list.querySelector(":scope > [data-more=newer]:not([hidden])"))
  }

  /** Give up loading newer messages step by step: the next transcript brings the end of the branch. */
  skipNewer() {
    this.#list.querySelector(":scope > [data-more=newer]")?.remove()
  }

  byGeneration(id) {
    return this.#list.querySelector(`:scope > [data-generation-id="${CSS.escape(id)}"]`)
  }

  byMessage(id) {
    return this.#list.querySelector(`:scope > [data-message-id="${CSS.escape(id)}"]`)
  }

  /** Everything after an element, in order. */
  after(element) {
    const articles = [...this.#list.children]
    return articles.slice(articles.indexOf(element) + 1)
  }

  /** Replace everything after message `after` (null: everything). Returns false if that message is not on the page. */
  replaceAfter(after, html) {
    const anchor = after && this.byMessage(after)
    if (after && !anchor) return false
    const old = anchor ? this.after(anchor) : [...this.#list.children]
    for (const article of old) article.remove()
    this.#list.insertAdjacentHTML("beforeend", html)
    htmx.process(this.#list)
    return true
  }

  append(...articles) {
    this.#list.append(...articles)
  }
}
