/** Dialogs over the chat: htmx fills them, this opens them, and applies what was chosen there. */
import { on } from "chat/events"
import { sentence } from "chat/says"

on("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target.matches("dialog.panel")) return
  if (!target.open) target.showModal()
  const chosen = target.querySelector("[data-settings]")
  if (chosen) apply(chosen.dataset)
})

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-open-instructions]")) openInstructions()
  else if (target.matches("dialog.panel")) target.close() // beside it
})

for (const name of ["htmx:responseError", "htmx:sendError"]) {
  on(name, ({ detail: { target, xhr } }) => {
    const said = target?.matches("dialog.panel") && target.querySelector("[data-said]")
    if (said) said.textContent = sentence(xhr.status === 404 ? "gone" : "failed")
  })
}

/** What was set for a new chat; of others the server knows it. */
export function instructions(root) {
  const { system_prompt: prompt, temperature } = root.querySelector("[data-instructions]")?.elements ?? {}
  if (root.dataset.conversation || !prompt) return {}
  return { system_prompt: prompt.value || null, temperature: temperature.value ? temperature.valueAsNumber : null }
}

function openInstructions() {
  const { conversation } = document.getElementById("conversation").dataset
  if (conversation) htmx.ajax("GET", `/c/${conversation}/instructions/`, "#instructions")
  else document.getElementById("instructions").showModal()
}

function apply({ theme, enterSends }) {
  if (theme) document.documentElement.dataset.theme = theme
  else delete document.documentElement.dataset.theme
  document.querySelector("meta[name=color-scheme]").content = theme || "light dark"
  document.getElementById("main").dataset.enterSends = enterSends
}
