/** The title and the address of the conversation on the page. */
import { markCurrent } from "shell/sidebar"
import { setTabTitle } from "shell/unread"

export function setTitle(root, title) {
  root.querySelector("[data-title]").textContent = title
  setTabTitle(`${title} · ${document.getElementById("main").dataset.product}`)
}

/** A new conversation got its address; Back leads to the empty page again. */
export function pushAddress(url) {
  // htmx marks the history entries that it restores in this way.
  history.replaceState({ htmx: true }, "", location.href)
  history.pushState({ htmx: true }, "", url)
  markCurrent()
}

/** The page shows the end again: remove the message that the address points to. */
export function clearMessageAddress() {
  if (location.search) history.replaceState(history.state, "", location.pathname)
}
