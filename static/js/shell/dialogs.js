/** Dialogs over the chat: htmx fills them, this opens them, and applies what was chosen there. */
import { on } from "shell/events"

on("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target.matches("dialog.panel")) return
  if (!target.open) target.showModal()
  const chosen = target.querySelector("[data-settings]")
  if (chosen) apply(chosen.dataset)
  const saved = target.querySelector("[data-instructions]")
  if (saved) mark("set" in saved.dataset)
})

// A click beside a dialog closes it; one that only ends there, as when text is selected, does not.
let pressed = null
document.addEventListener("pointerdown", ({ target }) => (pressed = target))
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-open-instructions]")) openInstructions()
  else if (target.matches("dialog.panel") && target === pressed) target.close()
})

// Of a new chat the page keeps the instructions, so it has to show by itself that there are some.
document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-instructions][method=dialog]")) mark(Object.values(instructions(current())).some(set => set !== null))
})

const current = () => document.getElementById("conversation")

function mark(set) {
  const button = current().querySelector("[data-open-instructions]")
  button.toggleAttribute("data-set", set)
  button.title = set ? button.dataset.titleSet : button.ariaLabel
}

/** What was set for a new chat; of others the server knows it. */
export function instructions(root) {
  const { system_prompt: prompt, temperature } = root.querySelector("[data-instructions]")?.elements ?? {}
  if (root.dataset.conversation || !prompt) return {}
  return { system_prompt: prompt.value || null, temperature: temperature.value ? temperature.valueAsNumber : null }
}

function openInstructions() {
  const { conversation } = current().dataset
  if (conversation) htmx.ajax("GET", `/c/${conversation}/instructions/`, "#instructions")
  else document.getElementById("instructions").showModal()
}

function apply({ theme, enterSends }) {
  if (theme) document.documentElement.dataset.theme = theme
  else delete document.documentElement.dataset.theme
  document.querySelector("meta[name=color-scheme]").content = theme || "light dark"
  document.getElementById("main").dataset.enterSends = enterSends
}
