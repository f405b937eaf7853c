/** The system prompt and temperature of the conversation: opens their dialog, and marks its button if they are set. */
import { on } from "shell/htmx-events"

const root = () => document.getElementById("conversation")

document.addEventListener("click", ({ target }) => target.closest("[data-open-instructions]") && open())

on("htmx:afterSwap", ({ detail: { target } }) => {
  const saved = target.matches("dialog.panel") && target.querySelector("[data-instructions]")
  if (saved) mark("set" in saved.dataset)
})

// The settings of a new chat stay on the page until it is sent.
document.addEventListener("submit", ({ target }) => {
  if (target.matches("[data-instructions][method=dialog]")) mark(Object.values(newChatSettings(root())).some(value => value !== null))
})

/** What was set for a new chat, as fields of `send`; {} for other conversations, whose settings the server has. */
export function newChatSettings(root) {
  const { system_prompt: prompt, temperature } = root.querySelector("[data-instructions]")?.elements ?? {}
  if (root.dataset.conversation || !prompt) return {}
  return { system_prompt: prompt.value || null, temperature: temperature.value ? temperature.valueAsNumber : null }
}

function open() {
  const { conversation } = root().dataset
  if (conversation) htmx.ajax("GET", `/c/${conversation}/instructions/`, "#instructions")
  else document.getElementById("instructions").showModal()
}

function mark(set) {
  const button = root().querySelector("[data-open-instructions]")
  button.toggleAttribute("data-set", set)
  button.title = set ? button.dataset.titleSet : button.ariaLabel
}
