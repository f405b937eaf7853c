/**
 * The text of running answers: a snapshot, then deltas without a hole and without a duplicate.
 *
 * Each method returns "applied", "ignored", or "gap": something is missing, so ask for a new snapshot.
 */
const content = article => article.querySelector("[data-content]")

function tail(article) {
  const existing = content(article).querySelector(":scope > [data-tail]")
  if (existing) return existing
  const created = document.createElement("div")
  created.dataset.tail = ""
  content(article).append(created)
  return created
}

export class Answers {
  // By generation: the last `seq` that is on the page. Absent until a transcript or a snapshot gives the start.
  #seen = new Map()

  begin(generation) {
    this.#seen.set(generation, 0)
  }

  /** After a reconnect nothing is known: only the next snapshot says where we stand. */
  forget() {
    this.#seen.clear()
  }

  snapshot(article, { generation, seq, html }) {
    if (!article) return "gap"
    article.dataset.generationId = generation
    content(article).innerHTML = html
    tail(article)
    this.#seen.set(generation, seq)
    return "applied"
  }

  delta(article, { generation, seq, html, tail: rest }) {
    const verdict = this.#judge(article, generation, seq)
    if (verdict !== "applied") return verdict
    const element = tail(article)
    element.insertAdjacentHTML("beforebegin", html)
    element.innerHTML = rest
    return verdict
  }

  end(article, { generation, seq, status, note, footer }) {
    if (article && article.dataset.status !== "streaming") return "ignored"
    const verdict = article && !this.#seen.has(generation) ? "gap" : this.#judge(article, generation, seq)
    if (verdict !== "applied") return verdict
    const element = tail(article)
    element.replaceWith(...element.childNodes)
    article.dataset.status = status
    delete article.dataset.stopping
    delete article.dataset.saving
    article.querySelector("[data-stop]")?.remove()
    article.querySelector("[data-note]").innerHTML = note
    article.querySelector("[data-footer]").innerHTML = footer
    htmx.process(article)
    return verdict
  }

  #judge(article, generation, seq) {
    const seen = this.#seen.get(generation)
    if (!article || seen === undefined || seq <= seen) return "ignored"
    if (seq === seen + 1) {
      this.#seen.set(generation, seq)
      return "applied"
    }
    this.#seen.delete(generation)
    return "gap"
  }
}
