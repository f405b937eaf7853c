/** Prints whole conversations: messages that are not loaded yet are fetched first. */

/** `newerLoaded` is called if newer messages were loaded. */
export function setUpPrinting(newerLoaded) {
  addEventListener("beforeprint", () => {
    const scroller = document.querySelector("[data-scroller]")
    const list = scroller.querySelector("[data-transcript]")
    const below = scroller.scrollHeight - scroller.scrollTop
    let newer = false
    let more
    while ((more = list.querySelector(":scope > [data-more]"))) {
      newer ||= more.dataset.more === "newer"
      if (!load(more)) break
    }
    htmx.process(list)
    scroller.scrollTop = scroller.scrollHeight - below
    if (newer) newerLoaded()
  })
}

// Synchronous, because the browser prints as soon as the event handler returns.
function load(more) {
  const request = new XMLHttpRequest()
  request.open("GET", more.querySelector("a").getAttribute("hx-get"), false)
  request.setRequestHeader("HX-Request", "true")
  try {
    request.send()
  } catch {
    return false
  }
  // After signing out, or if another branch is shown by now, only the loaded messages are printed.
  if (request.status !== 200 || request.getResponseHeader("HX-Retarget") || !request.responseText.includes("data-message-id")) return false
  more.outerHTML = request.responseText
  return true
}
