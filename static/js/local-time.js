/** A time of day as the reader's own clock would show it; with the date when it is another day. */
customElements.define("local-time", class extends HTMLElement {
  connectedCallback() {
    const element = this.querySelector("time")
    const time = new Date(element?.dateTime)
    if (!element || Number.isNaN(time.valueOf())) return
    const today = time.toDateString() === new Date().toDateString()
    const clock = { hour: "2-digit", minute: "2-digit" }
    element.textContent = time.toLocaleString([], today ? clock : { day: "numeric", month: "short", ...clock })
    element.title = time.toLocaleString([], { dateStyle: "full", timeStyle: "short" })
  }
})
