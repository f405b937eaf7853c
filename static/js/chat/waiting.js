/** Words beside an answer that does not begin: for which model one waits, and for how long. No assistive technology
 * hears them, as they change each second. */
import { sentence } from "shell/status"

const WORTH_SAYING = 5
const SLOW = 20
const SECOND = 1000

// By article: since when one waits for it, and its length at that time; null once something came.
const waits = new WeakMap()

/** Say how it is, once a second. */
export function tellWait(article) {
  if (!article?.dataset.generationId) return
  const wait = begun(article)
  if (!wait) return
  if (length(article) !== wait.length || "stopping" in article.dataset || "saving" in article.dataset) return endWait(article)
  const seconds = Math.floor((performance.now() - wait.since) / SECOND)
  if (seconds >= WORTH_SAYING) show(article, seconds)
}

/** Something came. */
export function endWait(article) {
  if (!article || waits.get(article) === null) return
  waits.set(article, null)
  article.querySelector("[data-wait]")?.remove()
}

function begun(article) {
  if (!waits.has(article)) {
    const before = length(article) ? 0 : Number(article.dataset.waited || 0) * SECOND
    waits.set(article, { since: performance.now() - before, length: length(article) })
  }
  return waits.get(article)
}

const length = article => article.querySelector("[data-content]").textContent.length

function show(article, seconds) {
  let line = article.querySelector("[data-wait]")
  if (!line) {
    line = document.createElement("p")
    line.dataset.wait = ""
    line.className = "note"
    article.querySelector("[data-note]").replaceChildren(line)
  }
  const values = { model: article.dataset.model, seconds }
  line.textContent = sentence(seconds < SLOW ? "waiting" : "waitingLong", values)
}
