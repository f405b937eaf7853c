/** The sidebar: a drawer on narrow screens; links that open conversations in place; the parts of its list. */
import { on } from "shell/events"
import { setUpRename } from "shell/rename"
import { setUpRowMenu } from "shell/row-menu"
import { markCurrent, refreshIfMissed, setUpRefresh } from "shell/sidebar-list"

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
  setUpRename(sidebar)
  setUpRowMenu(document.getElementById("row-menu"), refreshIfMissed)
}

// A title that is cut off is shown whole while the pointer is over it.
function showFullTitle({ target }) {
  if (target.matches(".row__link")) target.title = target.scrollWidth > target.clientWidth ? target.textContent : ""
}
