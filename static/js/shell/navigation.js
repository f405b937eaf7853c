/** Between conversations without a new page: htmx swaps, this keeps title, scroll position and session in order. */
import { on } from "shell/events"
import { sentence } from "shell/status"
import { tell } from "shell/toast"

export function setUpNavigation(main, conversation) {
  let before = null
  const swapsConversation = event => event.detail.target?.id === "conversation"

  // Signed out in the meantime: the answer is the sign-in page, which does not belong into this one.
  const signedOut = ({ detail: { xhr } }) => {
    const out = new URL(xhr.responseURL || location.href).pathname === main.dataset.login
    if (out) location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
    return out
  }

  on("htmx:beforeSwap", event => {
    if (signedOut(event)) {
      event.detail.shouldSwap = false
    } else if (swapsConversation(event)) {
      before = { conversation: conversation.id, pin: pin(main, event.detail.requestConfig?.elt) }
    }
  })
  on("htmx:afterSwap", event => {
    if (swapsConversation(event)) show(before)
  })
  on("htmx:historyRestore", () => show(null))
  // Back or forward: htmx asks for the page, and says nothing where it does not come.
  on("htmx:historyCacheMiss", ({ detail: { xhr } }) => xhr.addEventListener("error", () => tell(sentence("unreachable"))))
  on("htmx:historyCacheMissLoad", event => {
    if (signedOut(event)) event.detail.historyElt = document.createElement("div") // nobody will see it
  })
  on("htmx:historyCacheMissLoadError", ({ detail: { xhr } }) => {
    tell(sentence(xhr.status === 404 ? "gone" : "failed"))
    if (xhr.status !== 404) return
    history.replaceState({ htmx: true }, "", "/")
    htmx.ajax("GET", "/", { target: "#conversation", swap: "outerHTML" })
  })

  // A new version of the same conversation stays where it was scrolled to.
  function show(previous) {
    const same = previous?.conversation && previous.conversation === conversation.root.dataset.conversation
    conversation.show(same ? previous.pin() : null)
    if (same || main.querySelector("[data-found]")) return
    if (matchMedia("(pointer: fine)").matches) conversation.composer.focus()
    else conversation.root.querySelector("[data-scroller]").focus({ preventScroll: true })
  }
}

/** Where to scroll the new page to, so that the versions which were switched stay under the pointer. */
function pin(main, switched) {
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
