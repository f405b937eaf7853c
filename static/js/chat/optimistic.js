/** What the page shows from the moment of asking until the server's transcript takes its place. */
// As `Entry.long` in conversations/fragments.py.
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

  /** Whether the server is away: then all of this waits to be sent, and nothing of it may look as if it were answered. */
  wait(waits) {
    const [first] = this.#added
    if (!first || "unsent" in first.dataset === waits) return
    first.querySelector("[data-note]").replaceChildren(...waits ? [this.#copy("unsent")] : [])
    for (const article of this.#added) {
      article.toggleAttribute("data-unsent", waits)
      article.hidden = waits && article !== first
    }
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
