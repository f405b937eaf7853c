/** Moving between conversations without a new page: htmx swaps them; this keeps scroll position, focus and session right. */
import { on } from "shell/htmx-events"
import { sentence } from "shell/status"
import { showToast } from "shell/toast"

export function setUpNavigation(main, conversation) {
  let before = null
  const swapsConversation = event => event.detail.target?.id === "conversation"

  // If the session has ended, the response is the sign-in page, which does not belong into this one.
  const signedOut = ({ detail: { xhr } }) => {
    const out = new URL(xhr.responseURL || location.href).pathname === main.dataset.login
    if (out) location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
    return out
  }

  on("htmx:beforeSwap", event => {
    if (signedOut(event)) {
      event.detail.shouldSwap = false
    } else if (swapsConversation(event)) {
      before = { conversation: conversation.id, top: topAfter(main, event.detail.requestConfig?.elt) }
    }
  })
  on("htmx:afterSwap", event => {
    if (swapsConversation(event)) show(before)
  })
  on("htmx:historyRestore", () => show(null))
  // Back or forward: htmx requests the page, and reports no failure by itself.
  on("htmx:historyCacheMiss", ({ detail: { xhr } }) => xhr.addEventListener("error", () => showToast(sentence("unreachable"))))
  on("htmx:historyCacheMissLoad", event => {
    if (signedOut(event)) event.detail.historyElt = document.createElement("div") // never seen
  })
  on("htmx:historyCacheMissLoadError", ({ detail: { xhr } }) => {
    showToast(sentence(xhr.status === 404 ? "gone" : "failed"))
    if (xhr.status !== 404) return
    history.replaceState({ htmx: true }, "", "/")
    htmx.ajax("GET", "/", { target: "#conversation", swap: "outerHTML" })
  })

  // Another version of the same conversation keeps the scroll position.
  function show(previous) {
    const same = previous?.conversation && previous.conversation === conversation.root.dataset.conversation
    conversation.show(same ? previous.top() : null)
    if (same || main.querySelector("[data-found]")) return
    if (matchMedia("(pointer: fine)").matches) conversation.composer.focus()
    else conversation.root.querySelector("[data-scroller]").focus({ preventScroll: true })
  }
}

// The sidebar deleted, archived or unarchived a conversation: it may be the one on the page.
on("conversation:deleted", ({ detail }) => {
  if (!location.pathname.includes(detail.conversation)) return
  document.querySelector("#toast [data-undo]").name = "open" // Undo leads back to the conversation that was open
  document.querySelector(".sidebar__new").click()
})

on("conversation:shelved", ({ detail: { conversation, archived } }) => {
  const shown = document.getElementById("conversation")
  if (shown.dataset.conversation === conversation) shown.querySelector("[data-archived]").hidden = !archived
})

/** Returns a function that says where to scroll the new page, so that the version switch stays under the pointer. */
function topAfter(main, switched) {
  const { parentId, role } = switched?.closest("article")?.dataset ?? {}
  const footer = `article[data-parent-id="${parentId}"][data-role="${role}"] > [data-footer]`
  const edge = () => main.querySelector(footer)?.getBoundingClientRect().top
  const top = () => main.querySelector("[data-scroller]").scrollTop
  const before = { top: top(), edge: edge() }
  return () => {
    const moved = edge() - before.edge
    return isNaN(moved) ? before.top : top() + moved
  }
}
