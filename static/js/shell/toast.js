/** A sentence at the bottom of the page that disappears by itself: what was done (with Undo), or what failed. */
import { on } from "shell/htmx-events"
import { announce, sentence } from "shell/status"

const DURATION = 20_000
// At least this long after the pointer or the focus has left it.
const MIN_AFTERWARDS = 5_000

const toast = document.getElementById("toast")
let until = 0
let timer

const text = () => toast.querySelector(".toast__text")

export function showToast(said) {
  toast.replaceChildren(document.getElementById("notice").content.cloneNode(true))
  text().textContent = said
  show()
}

function show() {
  toast.hidePopover()
  if (!text()) return
  toast.showPopover()
  announce(text().textContent)
  until = performance.now() + DURATION
  hideLater()
}

function hideLater() {
  clearTimeout(timer)
  timer = setTimeout(() => inUse() || toast.hidePopover(), Math.max(MIN_AFTERWARDS, until - performance.now()))
}

const inUse = () => toast.matches(":hover, :focus-within")

for (const left of ["pointerleave", "focusout"]) toast.addEventListener(left, hideLater)
toast.addEventListener("submit", () => setTimeout(() => toast.hidePopover()))
on("htmx:afterSwap", event => event.detail.target === toast && show())

// Every failed htmx request is reported, in the open dialog that it came from or as a toast.
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

show() // The page may come with one.
