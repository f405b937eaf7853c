/** Between conversations without a new page: htmx swaps, this keeps title, scroll position and session in order. */
export function setUpNavigation(main, conversation, failed) {
  let before = null
  const swapsConversation = event => event.detail.target?.id === "conversation"

  document.body.addEventListener("htmx:beforeSwap", event => {
    // Signed out in the meantime: the answer is the sign-in page, which does not belong into this one.
    if (new URL(event.detail.xhr.responseURL || location.href).pathname === main.dataset.login) {
      event.detail.shouldSwap = false
      location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
    } else if (swapsConversation(event)) {
      before = { conversation: conversation.id, top: conversation.follow.top }
    }
  })
  document.body.addEventListener("htmx:afterSwap", event => {
    if (swapsConversation(event)) show(before)
  })
  document.body.addEventListener("htmx:historyRestore", () => show(null))
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(name, event => swapsConversation(event) && failed())
  }

  // A new version of the same conversation stays where it was scrolled to.
  function show(previous) {
    const same = previous?.conversation && previous.conversation === conversation.root.dataset.conversation
    conversation.show(same ? previous.top : null)
    if (same) return
    if (matchMedia("(pointer: fine)").matches) conversation.composer.focus()
    else conversation.root.querySelector("[data-scroller]").focus({ preventScroll: true })
  }
}
