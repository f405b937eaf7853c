/**
 * Marks conversations in which an answer ended while the person was elsewhere, and counts them in the tab's title, until
 * they are opened. For this tab only; a reload keeps them.
 */
import { session } from "net/storage"
import { sentence } from "shell/status"

const KEY = "unread"

let live = new Set()
let title = document.title

const unread = new Set(JSON.parse(session.get(KEY) ?? "[]"))
const idOf = row => row.id.slice("item-".length)
const isOnScreen = row => !document.hidden && row.querySelector(".row__link").ariaCurrent === "page"

/** Update the marks; called after every change of the list and of what is on screen. */
export function updateUnread(list) {
  for (const row of list.querySelectorAll(".row[id]:has(.row__link)")) {
    const id = idOf(row)
    if (isOnScreen(row)) unread.delete(id)
    else if (live.has(id) && !("live" in row.dataset)) unread.add(id)
    mark(row, unread.has(id))
  }
  live = new Set([...list.querySelectorAll(".row[data-live]")].map(idOf))
  session.set(KEY, JSON.stringify([...unread]))
  setTabTitle(title)
}

/** Set the tab's title, after the number of unread conversations. */
export function setTabTitle(text) {
  title = text
  document.title = unread.size ? `(${unread.size}) ${title}` : title
}

function mark(row, isUnread) {
  row.toggleAttribute("data-unread", isUnread)
  const link = row.querySelector(".row__link")
  if (isUnread) link.setAttribute("aria-description", sentence("unread"))
  else link.removeAttribute("aria-description")
}
