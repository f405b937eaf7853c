/** Conversations in which an answer ended while the person was elsewhere: marked in the list and counted in the tab's title
 *  until they are opened. Of this tab; a reload keeps them. */
import { sentence } from "shell/status"

const KEY = "unread"

let live = new Set()
let title = document.title

const unread = new Set(stored())
const idOf = row => row.id.slice("item-".length)
const inSight = row => !document.hidden && row.querySelector(".row__link").ariaCurrent === "page"

/** Look through the list, after each change of it and of what is on screen. */
export function lookForUnread(list) {
  for (const row of list.querySelectorAll(".row[id]:has(.row__link)")) {
    const id = idOf(row)
    if (inSight(row)) unread.delete(id)
    else if (live.has(id) && !("live" in row.dataset)) unread.add(id)
    mark(row, unread.has(id))
  }
  live = new Set([...list.querySelectorAll(".row[data-live]")].map(idOf))
  keep()
  showTitle(title)
}

/** The title of the page, after the number of what is unread. */
export function showTitle(text) {
  title = text
  document.title = unread.size ? `(${unread.size}) ${title}` : title
}

function mark(row, yes) {
  row.toggleAttribute("data-unread", yes)
  const link = row.querySelector(".row__link")
  if (yes) link.setAttribute("aria-description", sentence("unread"))
  else link.removeAttribute("aria-description")
}

// Storage may be forbidden by the browser's settings; the marks then last as long as the page.
function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]")
  } catch {
    return []
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...unread]))
  } catch {}
}
