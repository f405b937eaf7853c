/** Menus: that of one conversation, fetched when it is asked for, and the arrow keys in all of them. */
import { on } from "shell/events"

const MARGIN = 8
const REOPEN = 300

/** `closed`: called when the menu goes. */
export function setUpMenu(menu, closed) {
  let opener = "" // the button's id: a refresh of the list may replace the button while the menu is on its way
  let closedAt = 0
  on("htmx:beforeRequest", event => {
    if (event.detail.target !== menu) return
    const { id } = event.detail.elt.querySelector("button")
    const again = id === opener && performance.now() - closedAt < REOPEN
    if (again) event.preventDefault()
    opener = again ? "" : id
  })
  // Not as soon as it is swapped in: only then do its entries work.
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

function open(menu, opener) {
  menu.showPopover()
  const { top, bottom, right } = opener.getBoundingClientRect()
  const below = bottom + menu.offsetHeight + MARGIN <= innerHeight
  const fits = (place, size, room) => Math.max(MARGIN, Math.min(place, room - size - MARGIN))
  menu.style.top = `${fits(below ? bottom : top - menu.offsetHeight, menu.offsetHeight, innerHeight)}px`
  menu.style.left = `${fits(right - menu.offsetWidth, menu.offsetWidth, innerWidth)}px`
  items(menu)[0].focus()
}

const items = menu => [...menu.querySelectorAll(".menu__item")]

// Any menu: it opens at its first entry, and the arrow keys go round.
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
