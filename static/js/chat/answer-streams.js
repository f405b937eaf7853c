/**
 * Writes the text of running answers into their articles: a snapshot, then deltas in sequence (docs/protocol.md).
 *
 * Each method returns "applied", "ignored", or "gap": an event is missing, so a new snapshot has to be requested.
 */
import { morphChildren } from "chat/morph"

const contentOf = article => article.querySelector("[data-content]")

function parse(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content
}

/** Pages from the server have the unfinished nodes in an element of their own. */
function unwrapTail(content) {
  const tail = content.querySelector(":scope > [data-tail]")
  tail?.replaceWith(...tail.childNodes)
}

export class AnswerStreams {
  // By generation: the last `seq` on the page. Absent until a transcript or a snapshot gives the start.
  #seen = new Map()
  // By article: the number of finished nodes, which never change again; the HTML of the unfinished ones.
  #shown = new WeakMap()

  begin(generation) {
    this.#seen.set(generation, 0)
  }

  /** After a reconnect, nothing is applied until the next snapshot. */
  forget() {
    this.#seen.clear()
  }

  snapshot(article, { generation, seq, html, tail }) {
    if (!article) return "gap"
    article.dataset.generationId = generation
    unwrapTail(contentOf(article))
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
    unwrapTail(contentOf(article))
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
    morphChildren(contentOf(article), [...added, ...parse(tail).childNodes], finished)
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
