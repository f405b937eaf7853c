/** Menus: that of one conversation, fetched when its button is pressed; the arrow keys in all of them. */
import { on } from "shell/htmx-events"
import { placeBeside } from "shell/popover"

// A press on the button of the open menu closes the menu first. Within this many ms, it does not open it again.
const REOPEN = 300

/** `closed` is called when the menu closes. */
export function setUpRowMenu(menu, closed) {
  let opener = "" // the button's id: a refresh of the list may replace the button before the menu arrives
  let closedAt = 0
  on("htmx:beforeRequest", event => {
    if (event.detail.target !== menu) return
    const { id } = event.detail.elt.querySelector("button")
    const again = id === opener && performance.now() - closedAt < REOPEN
    if (again) event.preventDefault()
    opener = again ? "" : id
  })
  // After settling, not after the swap: the items work only then.
  on("htmx:afterSettle", event => {
    const button = document.getElementById(opener)
    if (event.detail.target === menu && button) open(menu, button)
  })
  menu.addEventListener("toggle", event => {
    if (event.newState === "open") return
    closedAt = performance.now()
    closed()
  })
  menu.addEventListener("click", event => {
    if (!event.target.closest(".menu__item")) return
    opener = ""
    setTimeout(() => menu.hidePopover())
  })
}

function open(menu, button) {
  menu.showPopover()
  placeBeside(menu, button, button.getBoundingClientRect().right - menu.offsetWidth)
  items(menu)[0].focus()
}

const items = menu => [...menu.querySelectorAll(".menu__item")]

// All menus open with the focus on their first item, and the arrow keys move it around.
document.addEventListener("toggle", ({ target, newState }) => {
  if (newState === "open" && target.matches(".menu") && !target.contains(document.activeElement)) items(target)[0]?.focus()
}, { capture: true })

document.addEventListener("keydown", event => {
  const menu = event.target.closest?.(".menu")
  if (!menu) return
  const all = items(menu)
  const place = all.indexOf(document.activeElement)
  const next = { ArrowDown: (place + 1) % all.length, ArrowUp: Math.max(place, 0) - 1, Home: 0, End: -1 }[event.key]
  if (next === undefined) return
  event.preventDefault()
  all.at(next).focus()
})
