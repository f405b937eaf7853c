/** Which conversation the page is at: title, address, and the mark in the list. */
import { markCurrent } from "shell/sidebar"
import { showTitle } from "shell/unread"

export function setTitle(root, title) {
  root.querySelector("[data-title]").textContent = title
  showTitle(`${title} · ${document.getElementById("main").dataset.product}`)
}

/** A new conversation got its address: going back leads to the empty page again. */
export function moveTo(url) {
  // The mark by which htmx knows the entries of the history that it restores.
  history.replaceState({ htmx: true }, "", location.href)
  history.pushState({ htmx: true }, "", url)
  markCurrent()
}

/** The page shows the end again: its address is that of the conversation, not of one message. */
export function leavePlace() {
  if (location.search) history.replaceState(history.state, "", location.pathname)
}
