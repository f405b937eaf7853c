/** Renaming a conversation in its row: Enter or leaving the field saves, Escape cancels. */
import { on } from "shell/htmx-events"
import { list, refreshIfMissed } from "shell/sidebar"

const formOf = event => event.target.closest?.("[data-rename]")

export function setUpRename(sidebar) {
  on("htmx:afterSettle", focusField)
  // A field that is replaced loses the focus as well, and must not be submitted then.
  sidebar.addEventListener("submit", event => formOf(event) && (formOf(event).dataset.done = ""), { capture: true })
  sidebar.addEventListener("keydown", event => {
    if (event.key !== "Escape" || !formOf(event)) return
    event.preventDefault()
    event.stopPropagation()
    cancel(formOf(event))
  })
  sidebar.addEventListener("focusout", event => {
    const form = formOf(event)
    if (!form || "done" in form.dataset || !document.hasFocus()) return
    if (event.target.value === event.target.defaultValue) cancel(form)
    else form.requestSubmit()
  })
}

function focusField() {
  const field = list().querySelector(".row__title")
  if (!field) return refreshIfMissed()
  if (field === document.activeElement) return
  field.focus()
  field.select()
}

function cancel(form) {
  form.dataset.done = ""
  htmx.ajax("GET", form.dataset.rename, { target: form.closest(".row"), swap: "outerHTML" })
}
