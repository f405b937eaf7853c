/** Search: Ctrl/⌘ K opens it from anywhere, the arrow keys go from hit to hit, and a hit that is followed closes it. */
import { on } from "chat/events"

const dialog = document.getElementById("search")
// In text fields of a Mac, Ctrl K deletes to the end of the line.
const mac = /^(Mac|iP)/.test(navigator.platform)
const modified = event => event.metaKey || (event.ctrlKey && !mac)

document.addEventListener("keydown", event => {
  // Filling in a form by itself, Chrome tells of keys that have no name.
  if (event.key?.toLowerCase() !== "k" || !modified(event) || event.altKey || event.shiftKey) return
  event.preventDefault()
  if (dialog.open) dialog.querySelector("input").select()
  else document.querySelector("[data-search]").click()
})

dialog.addEventListener("keydown", event => {
  if (event.key === "Escape") {
    event.preventDefault() // or the field is emptied first
    dialog.close()
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step) return
  const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll(".hit")]
  const next = stops[stops.indexOf(document.activeElement) + step]
  if (!next) return
  event.preventDefault()
  next.focus()
})

on("htmx:beforeSwap", ({ detail: { target } }) => target.id === "conversation" && dialog.close())
