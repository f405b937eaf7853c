/** The menu of one conversation, fetched when it is asked for; and what became of a deleted one. */
import { on } from "chat/events"

const MARGIN = 8
const LINGER = 20_000
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
  menu.addEventListener("click", event => event.target.closest(".menu__item") && setTimeout(() => menu.hidePopover()))
  setUpToast(document.getElementById("toast"))
}

function open(menu, opener) {
  menu.showPopover()
  const { top, bottom, right } = opener.getBoundingClientRect()
  const below = bottom + menu.offsetHeight + MARGIN <= innerHeight
  const fits = (place, size, room) => Math.max(MARGIN, Math.min(place, room - size - MARGIN))
  menu.style.top = `${fits(below ? bottom : top - menu.offsetHeight, menu.offsetHeight, innerHeight)}px`
  menu.style.left = `${fits(right - menu.offsetWidth, menu.offsetWidth, innerWidth)}px`
  menu.querySelector(".menu__item").focus()
}

function setUpToast(toast) {
  let timer
  const show = () => {
    clearTimeout(timer)
    toast.hidePopover()
    if (!toast.firstElementChild) return
    toast.showPopover()
    timer = setTimeout(() => toast.matches(":hover, :focus-within") || toast.hidePopover(), LINGER)
  }
  on("htmx:afterSwap", event => event.detail.target === toast && show())
  toast.addEventListener("submit", () => setTimeout(() => toast.hidePopover()))
  on("conversation:deleted", ({ detail }) => {
    if (!location.pathname.includes(detail.conversation)) return
    toast.querySelector("[data-undo]").name = "open" // where one was, Undo leads back to
    document.querySelector(".sidebar__new").click()
  })
  show()
}
