/** Shows times by the reader's clock in the page's language, and tells the server the reader's time zone in a cookie. */
import { refreshSidebar } from "shell/sidebar"

// Seconds.
const YEAR = 31_536_000

const language = document.documentElement.lang
// If the browser has the page's language with a region, the formats of that region.
const locale = navigator.languages.find(each => each.split("-")[0] === language) ?? language

customElements.define("local-time", class extends HTMLElement {
  connectedCallback() {
    const element = this.querySelector("time")
    const time = new Date(element?.dateTime)
    if (!element || Number.isNaN(time.valueOf())) return
    element.textContent = time.toLocaleString(locale, format(time, new Date()))
    element.title = time.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" })
  }
})

/** Today: the time. This year: date and time. Earlier: date and year. */
function format(time, now) {
  const clock = { hour: "2-digit", minute: "2-digit" }
  if (time.toDateString() === now.toDateString()) return clock
  const date = { day: "numeric", month: "short" }
  return time.getFullYear() === now.getFullYear() ? { ...date, ...clock } : { ...date, year: "numeric" }
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const cookie = `timezone=${zone}`
if (zone && !document.cookie.split("; ").includes(cookie)) {
  const secure = location.protocol === "https:" ? "; secure" : ""
  document.cookie = `${cookie}; path=/; max-age=${YEAR}; samesite=lax${secure}`
  if (zone !== document.getElementById("main").dataset.timeZone) refreshSidebar()
}
