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

/** A page that comes from the server has the unfinished nodes in an element of their own. */
function unwrap(root) {
  const tail = root.querySelector(":scope > [data-tail]")
  tail?.replaceWith(...tail.childNodes)
}

export class Answers {
  // By generation: the last `seq` that is on the page. Absent until a transcript or a snapshot gives the start.
  #seen = new Map()
  // By article: how many of the nodes of its text are finished, and never change again; the HTML of the others.
  #shown = new WeakMap()

  begin(generation) {
    this.#seen.set(generation, 0)
  }

  /** After a reconnect nothing is known: only the next snapshot says where we stand. */
  forget() {
    this.#seen.clear()
  }

  snapshot(article, { generation, seq, html, tail }) {
    if (!article) return "gap"
    article.dataset.generationId = generation
    unwrap(content(article))
    this.#seen.set(generation, seq)
    this.#show(article, 0, html, tail)
    return "applied"
  }

  delta(article, { generation, seq, html, keep, tail }) {
    const verdict = this.#judge(article, generation, seq)
    if (verdict !== "applied") return verdict
    if (!this.#shown.has(article)) return "gap"
    const [finished, before] = this.#shown.get(article)
    this.#show(article, finished, html, before.slice(0, keep) + tail)
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

  #show(article, finished, html, tail) {
    const added = [...parse(html).childNodes]
    this.#shown.set(article, [finished + added.length, tail])
    grow(content(article), [...added, ...parse(tail).childNodes], finished)
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
