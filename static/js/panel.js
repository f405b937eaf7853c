/** Dialogs over the chat: htmx fills them, this opens them, and applies what was chosen there. */
document.body.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target.matches("dialog.panel")) return
  if (!target.open) target.showModal()
  const chosen = target.querySelector("[data-settings]")
  if (chosen) apply(chosen.dataset)
})

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-opens]")
  if (opener) document.getElementById(opener.dataset.opens).showModal()
  else if (target.matches("dialog.panel")) target.close() // beside it
})

function apply({ theme, enterSends }) {
  if (theme) document.documentElement.dataset.theme = theme
  else delete document.documentElement.dataset.theme
  document.querySelector("meta[name=color-scheme]").content = theme || "light dark"
  document.getElementById("main").dataset.enterSends = enterSends
}
