/**
 * The text of running answers: a snapshot, then deltas without a hole and without a duplicate.
 *
 * Each method returns "applied", "ignored", or "gap": something is missing, so ask for a new snapshot.
 */
import { grow } from "chat/grow"

const content = article => article.querySelector("[data-content]")

function parse(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content
}

/** The nodes of an answer's HTML, the unfinished ones without their wrapping, and how many are finished. */
function unwrap(root) {
  const tail = [...root.children].find(child => "tail" in child.dataset)
  const finished = tail ? [...root.childNodes].indexOf(tail) : root.childNodes.length
  tail?.replaceWith(...tail.childNodes)
  return finished
}

export class Answers {
  // By generation: the last `seq` that is on the page. Absent until a transcript or a snapshot gives the start.
  #seen = new Map()
  // By article: how many of the nodes of its text are finished, and never change again.
  #finished = new WeakMap()

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
    const fresh = parse(html)
    const finished = unwrap(fresh)
    unwrap(content(article))
    grow(content(article), [...fresh.childNodes])
    this.#finished.set(article, finished)
    this.#seen.set(generation, seq)
    return "applied"
  }

  delta(article, { generation, seq, html, tail }) {
    const verdict = this.#judge(article, generation, seq)
    if (verdict !== "applied") return verdict
    const finished = this.#finished.get(article) ?? unwrap(content(article))
    const added = parse(html).childNodes
    this.#finished.set(article, finished + added.length)
    grow(content(article), [...added, ...parse(tail).childNodes], finished)
    return verdict
  }

  end(article, { generation, seq, status, note, footer }) {
    if (article && article.dataset.status !== "streaming") return "ignored"
    const verdict = article && !this.#seen.has(generation) ? "gap" : this.#judge(article, generation, seq)
    if (verdict !== "applied") return verdict
    unwrap(content(article))
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
