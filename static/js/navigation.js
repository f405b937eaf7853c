/** Between conversations without a new page: htmx swaps, this keeps title, scroll position and session in order. */
import { on } from "chat/events"

export function setUpNavigation(main, conversation, failed) {
  let before = null
  const swapsConversation = event => event.detail.target?.id === "conversation"
  const swapsMore = event => "more" in (event.detail.target?.dataset ?? {})
  const fails = event => swapsConversation(event) || swapsMore(event) || event.detail.target?.matches("dialog:not([open])")

  on("htmx:beforeSwap", event => {
    // Signed out in the meantime: the answer is the sign-in page, which does not belong into this one.
    if (new URL(event.detail.xhr.responseURL || location.href).pathname === main.dataset.login) {
      event.detail.shouldSwap = false
      location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
    } else if (swapsConversation(event)) {
      before = { conversation: conversation.id, pin: pin(main, event.detail.requestConfig?.elt) }
    }
  })
  on("htmx:afterSwap", event => {
    if (swapsConversation(event)) show(before)
  })
  on("htmx:historyRestore", () => show(null))
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    on(name, event => fails(event) && failed())
  }

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
