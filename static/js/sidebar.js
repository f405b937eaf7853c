/** The list of conversations: refreshed when something happened, marked where one is, a drawer on narrow screens. */
const REFRESH_INTERVAL = 400

const list = () => document.getElementById("sidebar-list")
let timer

/** Fetch the list again, soon: several reasons within a moment are one. */
export function refreshSidebar() {
  timer ??= setTimeout(() => {
    timer = undefined
    document.body.dispatchEvent(new CustomEvent("sidebar:refresh"))
  }, REFRESH_INTERVAL)
}

export function markCurrent() {
  for (const link of list().querySelectorAll("a[href]")) {
    if (link.pathname === location.pathname) link.ariaCurrent = "page"
    else link.removeAttribute("aria-current")
  }
}

export function setUpSidebar(sidebar) {
  // htmx would take these clicks too; they are meant to open another tab or window.
  document.addEventListener("click", event => {
    const modified = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
    if (modified && event.target.closest("a[hx-get]")) event.stopPropagation()
  }, { capture: true })
  const close = () => sidebar.matches(":popover-open") && sidebar.hidePopover()
  document.body.addEventListener("htmx:afterSwap", event => event.detail.target?.id === "conversation" && close())
  document.body.addEventListener("htmx:afterSettle", markCurrent)
  matchMedia("(min-width: 48rem)").addEventListener("change", close)
}
