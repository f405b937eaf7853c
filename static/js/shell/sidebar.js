/** The sidebar: a drawer on narrow screens; its list is refreshed after activity, without disturbing the person. */
import { on } from "shell/htmx-events"
import { updateUnread } from "shell/unread"

const REFRESH_DELAY = 400
// What a refresh must not replace: a title being renamed, an open menu or one that is on its way.
const BUSY = "[data-rename], #row-menu:popover-open, #row-menu .htmx-request"

export const list = () => document.getElementById("sidebar-list")
const rows = () => [...list().querySelectorAll(".row")]
let timer
let missed = false

/** Fetch the list again in a moment; further calls until then change nothing. */
export function refreshSidebar() {
  timer ??= setTimeout(() => {
    timer = undefined
    document.body.dispatchEvent(new CustomEvent("sidebar:refresh"))
  }, REFRESH_DELAY)
}

/** Make up for a refresh that was dropped because the person was busy in the list. */
export function refreshIfMissed() {
  if (missed) refreshSidebar()
  missed = false
}

/** Mark the conversation on screen. */
export function markCurrent() {
  for (const link of list().querySelectorAll(".row__link")) {
    if (link.pathname === location.pathname) link.ariaCurrent = "page"
    else link.removeAttribute("aria-current")
  }
  updateUnread(list())
}

export function setUpSidebar(sidebar) {
  // With a modifier, a click opens another tab or window; htmx must not take it.
  document.addEventListener("click", event => {
    const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
    if (modified && event.target.closest("a[hx-get]")) event.stopPropagation()
  }, { capture: true })
  const close = () => sidebar.matches(":popover-open") && sidebar.hidePopover()
  on("htmx:afterSwap", event => event.detail.target?.id === "conversation" && close())
  on("htmx:afterSettle", markCurrent)
  matchMedia("(min-width: 48rem)").addEventListener("change", close)
  document.addEventListener("visibilitychange", markCurrent)
  sidebar.addEventListener("pointerover", showFullTitle)
  markCurrent()
  setUpRefresh()
}

// A title that is cut off is shown whole while the pointer is over it.
function showFullTitle({ target }) {
  if (target.matches(".row__link")) target.title = target.scrollWidth > target.clientWidth ? target.textContent : ""
}

// A refresh asks for as many rows as there are, and keeps scroll position and focus.
function setUpRefresh() {
  let top = 0
  let focused = -1 // index of the row that has the focus
  on("htmx:configRequest", ({ detail: { elt, target, path, parameters } }) => {
    if (target !== list()) return
    // Notes the view that was asked for last: of a refresh and the other view, both on their way, that one is shown.
    if (elt !== target) return target.toggleAttribute("data-archived", path.includes("archived"))
    parameters.rows = target.querySelectorAll(".group:not([data-pinned]) .row").length
    if ("archived" in target.dataset) parameters.archived = ""
  })
  on("htmx:beforeSwap", ({ detail }) => {
    if (detail.target !== list()) return
    if (detail.pathInfo.finalRequestPath.includes("archived") !== ("archived" in list().dataset)) detail.shouldSwap = false
    if (detail.requestConfig.elt !== list()) return
    missed = Boolean(document.querySelector(BUSY))
    detail.shouldSwap &&= !missed
    top = list().scrollTop
    focused = rows().findIndex(row => row.contains(document.activeElement))
  })
  on("htmx:afterSwap", ({ detail: { target, requestConfig } }) => {
    if (target !== list() || requestConfig?.elt !== list()) return
    list().scrollTop = top
    if (focused >= 0 && document.activeElement === document.body) focusRow(focused)
  })
}

// The focused row is gone: move the focus to the one in its place.
function focusRow(index) {
  const next = rows()[Math.min(index, rows().length - 1)]?.querySelector(".row__link")
  ;(next ?? list()).focus({ preventScroll: true })
}
