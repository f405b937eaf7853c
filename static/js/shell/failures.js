/** Every failed htmx request is reported: in the open dialog that it came from, or as a toast. */
import { on } from "shell/events"
import { sentence } from "shell/status"
import { showToast } from "shell/toast"

// By HTTP status; 0: no answer.
const REASONS = { 0: "unreachable", 404: "gone" }

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  on(name, ({ detail: { elt, target, xhr } }) => {
    if (elt.id === "sidebar-list") return // nobody asked for a refresh, and the next one tries again
    const reason = sentence(REASONS[xhr.status] ?? "failed")
    const line = target?.closest("dialog[open]")?.querySelector("[data-said]")
    if (line) line.textContent = reason
    else showToast(reason)
  })
}
