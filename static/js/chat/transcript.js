/** The messages on the page, in order. Those of the server carry a message id; optimistic ones do not. */
export class Transcript {
  #list

  constructor(root) {
    this.#list = root.querySelector("[data-transcript]")
  }

  /** The last message that the server has given us. */
  get last() {
    return [...this.#list.querySelectorAll(":scope > [data-message-id]")].at(-1)
  }

  /** The answer that is being written, if any: the last of them on the screen, and not only asked for. */
  get running() {
    return [...this.#list.querySelectorAll(":scope > [data-status=streaming]:not([hidden], [data-unsent])")].at(-1)
  }

  /** Whether messages stand behind those on the page that it has not loaded. */
  get partial() {
    return Boolean(this.#list.querySelector(":scope > [data-more=newer]:not([hidden])"))
  }

  /** Show the end of the branch as soon as it comes: what is on the page is not it. */
  close() {
    this.#list.querySelector(":scope > [data-more=newer]")?.remove()
  }

  byGeneration(id) {
    return this.#list.querySelector(`:scope > [data-generation-id="${CSS.escape(id)}"]`)
  }

  byMessage(id) {
    return this.#list.querySelector(`:scope > [data-message-id="${CSS.escape(id)}"]`)
  }

  /** Everything behind an element, in order. */
  behind(element) {
    const articles = [...this.#list.children]
    return articles.slice(articles.indexOf(element) + 1)
  }

  /** Replace everything behind message `after` (null: everything). False if that message is not on the page. */
  replaceBehind(after, html) {
    const anchor = after && this.byMessage(after)
    if (after && !anchor) return false
    const doomed = anchor ? this.behind(anchor) : [...this.#list.children]
    for (const article of doomed) article.remove()
    this.#list.insertAdjacentHTML("beforeend", html)
    htmx.process(this.#list)
    return true
  }

  append(...articles) {
    this.#list.append(...articles)
  }
}
