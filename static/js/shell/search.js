/** The search dialog: Ctrl/⌘ K opens it, the arrow keys move between hits, and following a hit closes it. */
import { on } from "shell/htmx-events"

const dialog = document.getElementById("search")
const mac = /^(Mac|iP)/.test(navigator.platform) // where Ctrl K deletes to the end of the line

if (mac) for (const key of document.querySelectorAll("[data-search] kbd")) key.textContent = "⌘ K"

document.addEventListener("keydown", event => {
  const held = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
  if (event.key?.toLowerCase() !== "k" || !held || event.altKey || event.shiftKey) return
  event.preventDefault()
  if (dialog.open) dialog.querySelector("input").select()
  else document.querySelector("[data-search]").click()
})

dialog.addEventListener("keydown", event => {
  if (event.key === "Escape") {
    event.preventDefault() // or it would only empty the field
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

// Only the number of hits is announced: the hits themselves would be read out after every key.
on("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id !== "search-results") return
  dialog.querySelector("[data-said]").textContent = target.querySelector("[data-count]")?.dataset.count ?? ""
})
