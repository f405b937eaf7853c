/** The menu of one conversation in the sidebar, fetched when its button is pressed. */
import { on } from "shell/events"
import { items } from "shell/menus"
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
