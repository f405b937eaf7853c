/** Put a text into the clipboard, and say so at the button. */
import { say, sentence } from "shell/status"

const FEEDBACK = 2000

/** A message as it was written: Markdown, which the page does not have. */
export function copy(button, article) {
  return put(button, source(article))
}

export function copyCode(button) {
  return put(button, button.closest("pre").querySelector("code").textContent)
}

async function source(article) {
  const content = article.querySelector("[data-content]")
  if (article.dataset.role === "user") return content.textContent.trim() // the fences of code are not on screen
  const shown = content.innerText.trim()
  try {
    const answer = await fetch(`/messages/${article.dataset.messageId}/text/`, { redirect: "error" })
    return answer.ok ? await answer.text() : shown
  } catch {
    return shown
  }
}

async function put(button, text) {
  const done = await write(text)
  say(sentence(done ? "copied" : "notCopied"))
  if (!done) return
  button.dataset.done = sentence("copied")
  setTimeout(() => delete button.dataset.done, FEEDBACK)
}

// The promise goes to the clipboard, because Safari lets nobody write there once the click is over.
async function write(text) {
  try {
    const item = Promise.resolve(text).then(plain => new Blob([plain], { type: "text/plain" }))
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": item })])
    return true
  } catch {
    return writeBySelection(await text)
  }
}

// Over plain HTTP from another machine there is no clipboard object; the old command still works there.
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
