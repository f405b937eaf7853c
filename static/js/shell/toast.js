/** A sentence at the bottom of the page that disappears by itself: what was done (with Undo), or what failed. */
import { on } from "shell/events"
import { announce } from "shell/status"

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

show() // The page may come with one.
