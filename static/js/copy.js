/** Put a message's text into the clipboard, and say so at the button. */
import { say, sentence } from "chat/says"

const FEEDBACK = 2000

export async function copy(button, article) {
  const done = await write(article.querySelector("[data-content]").innerText.trim())
  say(sentence(done ? "copied" : "notCopied"))
  if (!done) return
  button.dataset.done = sentence("copied")
  setTimeout(() => delete button.dataset.done, FEEDBACK)
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return writeBySelection(text)
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
