/** The note beside an answer that has not begun: "Waiting for … 7 s". It changes each second, so it is not announced. */
import { sentence } from "shell/status"

// Seconds.
const MIN_WAIT = 5
const SLOW = 20
const SECOND = 1000

// By article: when the wait began, and the length of the text then; null once more text has come.
const waits = new WeakMap()

/** Update the note of this article; called once a second. */
export function updateWaitNote(article) {
  if (!article?.dataset.generationId) return
  const wait = waitOf(article)
  if (!wait) return
  if (length(article) !== wait.length || "stopping" in article.dataset || "saving" in article.dataset) return endWait(article)
  const seconds = Math.floor((performance.now() - wait.since) / SECOND)
  if (seconds >= MIN_WAIT) show(article, seconds)
}

export function endWait(article) {
  if (!article || waits.get(article) === null) return
  waits.set(article, null)
  article.querySelector("[data-wait]")?.remove()
}

function waitOf(article) {
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
