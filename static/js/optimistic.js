/** What the page shows from the moment of asking until the server's transcript takes its place. */
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

  /** A prompt and the place of its answer, at the end. */
  ask(text) {
    this.#add(this.#prompt(text), this.#answer())
    return this
  }

  /** A new version of the person's own message: it and everything behind it give way. */
  edit(article, text) {
    this.#hide(article, ...this.#transcript.behind(article))
    return this.ask(text)
  }

  /** A new version of an answer; `html` is what it begins with. */
  again(article, html = "") {
    this.#hide(article, ...this.#transcript.behind(article))
    this.#add(this.#answer(html))
    return this
  }

  /** The transcript was replaced for another reason while this still waits for its answer. */
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
    const article = this.#blank("prompt")
    article.querySelector("[data-content]").textContent = text
    return article
  }

  #answer(html = "") {
    const article = this.#blank("answer")
    article.dataset.command = this.id
    article.querySelector("[data-content]").insertAdjacentHTML("afterbegin", html)
    return article
  }

  #blank(name) {
    const template = this.#root.querySelector(`[data-template="${name}"]`)
    return template.content.firstElementChild.cloneNode(true)
  }
}
