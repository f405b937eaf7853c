/** What the page shows between sending a command and the server's transcript, which replaces it. */
// The same rule as on the server (conversations/rendering/transcript_entries.py).
const isLong = text => text.length > 1000 || text.split("\n").length > 12

export class Optimistic {
  #root
  #transcript
  #added = []
  #hidden = []

  constructor(root, transcript, id) {
    this.#root = root
    this.#transcript = transcript
    this.id = id
  }

  /** Show a prompt and the place of its answer, at the end. */
  send(text) {
    this.#add(this.#prompt(text), this.#answer())
    return this
  }

  /** Show a new version of the person's message, in place of it and everything after it. */
  edit(article, text) {
    this.#hide(article, ...this.#transcript.after(article))
    return this.send(text)
  }

  /** Show a new version of an answer; `html` is what it begins with. */
  rewrite(article, html = "") {
    this.#hide(article, ...this.#transcript.after(article))
    this.#add(this.#answer(html))
    return this
  }

  /** While the server is unreachable, show the prompt as not sent, and no answer. */
  setUnsent(unsent) {
    const [first] = this.#added
    if (!first || "unsent" in first.dataset === unsent) return
    first.querySelector("[data-note]").replaceChildren(...unsent ? [this.#copy("unsent")] : [])
    for (const article of this.#added) {
      article.toggleAttribute("data-unsent", unsent)
      article.hidden = unsent && article !== first
    }
  }

  /** The transcript was replaced for another reason: show this after it again. */
  reattach() {
    this.#transcript.append(...this.#added)
  }

  undo() {
    for (const article of this.#added) article.remove()
    for (const article of this.#hidden) article.hidden = false
  }

  #add(...articles) {
    this.#added = articles
    this.#transcript.append(...articles)
  }

  #hide(...articles) {
    this.#hidden = articles.filter(article => !article.hidden)
    for (const article of this.#hidden) article.hidden = true
  }

  #prompt(text) {
    const article = this.#copy("prompt").firstElementChild
    article.querySelector("[data-content]").textContent = text
    article.toggleAttribute("data-long", isLong(text))
    return article
  }

  #answer(html = "") {
    const article = this.#copy("answer").firstElementChild
    article.dataset.command = this.id
    article.querySelector("[data-content]").insertAdjacentHTML("afterbegin", html)
    return article
  }

  #copy(name) {
    return this.#root.querySelector(`[data-template="${name}"]`).content.cloneNode(true)
  }
}
