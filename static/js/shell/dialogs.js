/** Dialogs over the chat: opens what htmx puts into them, closes them, and applies saved settings to the page. */
import { on } from "shell/htmx-events"

on("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target.matches("dialog.panel")) return
  if (!target.open) target.showModal()
  const saved = target.querySelector("[data-settings]")
  if (saved) apply(saved.dataset)
})

// A click beside a dialog closes it. One that only ends there does not: somebody may have been selecting text.
let pressed = null
document.addEventListener("pointerdown", ({ target }) => (pressed = target))
document.addEventListener("click", ({ target }) => {
  if (target.matches("dialog.panel") && target === pressed) target.close()
})

function apply({ theme, enterSends }) {
  if (theme) document.documentElement.dataset.theme = theme
  else delete document.documentElement.dataset.theme
  document.querySelector("meta[name=color-scheme]").content = theme || "light dark"
  document.getElementById("main").dataset.enterSends = enterSends
}
