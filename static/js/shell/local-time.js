/** Times as the reader's own clock and the page's language have them; the server is told the clock's time zone. */
import { refreshSidebar } from "shell/sidebar"

const YEAR = 31_536_000

const language = document.documentElement.lang
// With the habits of the reader's country where the browser speaks the page's language.
const locale = navigator.languages.find(each => each.split("-")[0] === language) ?? language

customElements.define("local-time", class extends HTMLElement {
  connectedCallback() {
    const element = this.querySelector("time")
    const time = new Date(element?.dateTime)
    if (!element || Number.isNaN(time.valueOf())) return
    element.textContent = time.toLocaleString(locale, shape(time, new Date()))
    element.title = time.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" })
  }
})

/** The clock; with the date when it is another day, and with the year instead of the clock when that is another one. */
function shape(time, now) {
  const clock = { hour: "2-digit", minute: "2-digit" }
  if (time.toDateString() === now.toDateString()) return clock
  const date = { day: "numeric", month: "short" }
  return time.getFullYear() === now.getFullYear() ? { ...date, ...clock } : { ...date, year: "numeric" }
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const kept = `timezone=${zone}`
if (zone && !document.cookie.split("; ").includes(kept)) {
  const secure = location.protocol === "https:" ? "; secure" : ""
  document.cookie = `${kept}; path=/; max-age=${YEAR}; samesite=lax${secure}`
  if (zone !== document.getElementById("main").dataset.timeZone) refreshSidebar()
}
