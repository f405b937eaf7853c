/** A sentence at the foot of the page that goes by itself: what was done, with the way back, or what did not work. */
import { on } from "shell/events"
import { say, sentence } from "shell/status"

const LINGER = 20_000
const AFTERWARDS = 5_000 // once nobody points at it or is in it any more

const toast = document.getElementById("toast")
let until = 0
let timer

const text = () => toast.querySelector(".toast__text")

/** Show a sentence that comes from a script. */
export function tell(said) {
  toast.replaceChildren(document.getElementById("notice").content.cloneNode(true))
  text().textContent = said
  show()
}

function show() {
  toast.hidePopover()
  if (!text()) return
  toast.showPopover()
  say(text().textContent)
  until = performance.now() + LINGER
  wait()
}

function wait() {
  clearTimeout(timer)
  timer = setTimeout(() => held() || toast.hidePopover(), Math.max(AFTERWARDS, until - performance.now()))
}

const held = () => toast.matches(":hover, :focus-within")

for (const left of ["pointerleave", "focusout"]) toast.addEventListener(left, wait)
toast.addEventListener("submit", () => setTimeout(() => toast.hidePopover()))
on("htmx:afterSwap", event => event.detail.target === toast && show())

on("conversation:deleted", ({ detail }) => {
  if (!location.pathname.includes(detail.conversation)) return
  toast.querySelector("[data-undo]").name = "open" // where one was, Undo leads back to
  document.querySelector(".sidebar__new").click()
})

on("conversation:shelved", ({ detail: { conversation, archived } }) => {
  const shown = document.getElementById("conversation")
  if (shown.dataset.conversation === conversation) shown.querySelector("[data-archived]").hidden = !archived
})

// Everything that is asked of the server and fails says so: in the dialog that is open, or here.
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  on(name, ({ detail: { elt, target, xhr } }) => {
    if (elt.id === "sidebar-list") return // nobody asked for it, and the next event asks again
    const reason = sentence(reasons[xhr.status] ?? "failed")
    const said = target?.closest("dialog[open]")?.querySelector("[data-said]")
    if (said) said.textContent = reason
    else tell(reason)
  })
}

const reasons = { 0: "unreachable", 404: "gone" }

show()
