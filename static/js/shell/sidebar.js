/** The list of conversations: refreshed when something happened, marked where one is, a drawer on narrow screens. */
import { on } from "shell/events"
import { setUpMenu } from "shell/menu"
import { lookForUnread } from "shell/unread"

const REFRESH_INTERVAL = 400

const list = () => document.getElementById("sidebar-list")
let timer
let missed = false

/** Fetch the list again, soon: several reasons within a moment are one. */
export function refreshSidebar() {
  timer ??= setTimeout(() => {
    timer = undefined
    document.body.dispatchEvent(new CustomEvent("sidebar:refresh"))
  }, REFRESH_INTERVAL)
}

export function markCurrent() {
  for (const link of list().querySelectorAll(".row__link")) {
    if (link.pathname === location.pathname) link.ariaCurrent = "page"
    else link.removeAttribute("aria-current")
  }
  lookForUnread(list())
}

export function setUpSidebar(sidebar) {
  // htmx would take these clicks too; they are meant to open another tab or window.
  document.addEventListener("click", event => {
    const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
    if (modified && event.target.closest("a[hx-get]")) event.stopPropagation()
  }, { capture: true })
  const close = () => sidebar.matches(":popover-open") && sidebar.hidePopover()
  on("htmx:afterSwap", event => event.detail.target?.id === "conversation" && close())
  on("htmx:afterSettle", markCurrent)
  matchMedia("(min-width: 48rem)").addEventListener("change", close)
  document.addEventListener("visibilitychange", markCurrent)
  sidebar.addEventListener("pointerover", nameInFull)
  markCurrent()
  keepPlace()
  setUpRename(sidebar)
  setUpMenu(document.getElementById("row-menu"), catchUp)
}

// A title that is cut off is shown whole while one points at it.
function nameInFull({ target }) {
  if (target.matches(".row__link")) target.title = target.scrollWidth > target.clientWidth ? target.textContent : ""
}

// A refresh brings as much as there is now, and leaves alone what somebody is in the middle of.
function keepPlace() {
  let top = 0
  let focused = -1 // the row that has the focus
  on("htmx:configRequest", ({ detail: { elt, target, path, parameters } }) => {
    if (target !== list()) return
    // Of a refresh and the other view that is on its way, the view that was asked for last comes through.
    if (elt !== target) return target.toggleAttribute("data-archived", path.includes("archived"))
    parameters.rows = target.querySelectorAll(".group:not([data-pinned]) .row").length
    if ("archived" in target.dataset) parameters.archived = ""
  })
  on("htmx:beforeSwap", event => {
    if (event.detail.target !== list()) return
    if (event.detail.pathInfo.finalRequestPath.includes("archived") !== ("archived" in list().dataset)) event.detail.shouldSwap = false
    if (event.detail.requestConfig.elt !== list()) return
    missed = Boolean(document.querySelector("[data-rename], #row-menu:popover-open, #row-menu .htmx-request"))
    event.detail.shouldSwap &&= !missed
    top = list().scrollTop
    focused = rows().findIndex(row => row.contains(document.activeElement))
  })
  on("htmx:afterSwap", event => {
    if (event.detail.target !== list() || event.detail.requestConfig?.elt !== list()) return
    list().scrollTop = top
    if (focused >= 0 && document.activeElement === document.body) focusRow(focused)
  })
}

const rows = () => [...list().querySelectorAll(".row")]

// The row that was there is gone: go on from the one in its place.
function focusRow(place) {
  const next = rows()[Math.min(place, rows().length - 1)]?.querySelector(".row__link")
  ;(next ?? list()).focus({ preventScroll: true })
}

function catchUp() {
  if (missed) refreshSidebar()
  missed = false
}

function setUpRename(sidebar) {
  const form = event => event.target.closest?.("[data-rename]")
  const giveUp = left => {
    left.dataset.done = ""
    htmx.ajax("GET", left.dataset.rename, { target: left.closest(".row"), swap: "outerHTML" })
  }
  on("htmx:afterSettle", () => {
    const field = list().querySelector(".row__title")
    if (!field) return catchUp()
    if (field === document.activeElement) return
    field.focus()
    field.select()
  })
  // A field that is replaced loses the focus, too.
  sidebar.addEventListener("submit", event => form(event) && (form(event).dataset.done = ""), { capture: true })
  sidebar.addEventListener("keydown", event => {
    if (event.key !== "Escape" || !form(event)) return
    event.preventDefault()
    event.stopPropagation()
    giveUp(form(event))
  })
  sidebar.addEventListener("focusout", event => {
    const left = form(event)
    if (!left || "done" in left.dataset || !document.hasFocus()) return
    if (event.target.value === event.target.defaultValue) giveUp(left)
    else left.requestSubmit()
  })
}
