/** Copies messages and code to the clipboard, and says so at the button. */
import { announce, sentence } from "shell/status"

const FEEDBACK_DURATION = 2000

/** Copy a message as it was written. The page does not have an answer's Markdown, so it is fetched. */
export function copyMessage(button, article) {
  return copyText(button, source(article))
}

export function copyCode(button) {
  return copyText(button, button.closest("pre").querySelector("code").textContent)
}

async function source(article) {
  const content = article.querySelector("[data-content]")
  if (article.dataset.role === "user") return content.textContent.trim() // innerText would lack the fences of code
  const shown = content.innerText.trim()
  try {
    const answer = await fetch(`/messages/${article.dataset.messageId}/text/`, { redirect: "error" })
    return answer.ok ? await answer.text() : shown
  } catch {
    return shown
  }
}

async function copyText(button, text) {
  const done = await write(text)
  announce(sentence(done ? "copied" : "notCopied"))
  if (!done) return
  button.dataset.done = sentence("copied")
  setTimeout(() => delete button.dataset.done, FEEDBACK_DURATION)
}

// The clipboard gets the promise: Safari allows no write after the click has ended.
async function write(text) {
  try {
    const item = Promise.resolve(text).then(plain => new Blob([plain], { type: "text/plain" }))
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": item })])
    return true
  } catch {
    return writeBySelection(await text)
  }
}

// Pages over plain HTTP from another machine have no clipboard object, only the old command.
function writeBySelection(text) {
  const focused = document.activeElement
  const area = document.createElement("textarea")
  area.value = text
  area.className = "visually-hidden"
  document.body.append(area)
  area.select()
  const done = document.execCommand("copy")
  area.remove()
  focused?.focus({ preventScroll: true })
  return done
}
