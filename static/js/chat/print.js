/** A conversation is printed whole: what is not loaded yet is fetched before the browser looks at the page. */

/** `arrived`: called when the end of the conversation has come, too. */
export function setUpPrinting(arrived) {
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
    if (newer) arrived()
  })
}

// The only request that a browser waits for here: as soon as this event is over, it prints.
function load(more) {
  const request = new XMLHttpRequest()
  request.open("GET", more.querySelector("a").getAttribute("hx-get"), false)
  request.setRequestHeader("HX-Request", "true")
  try {
    request.send()
  } catch {
    return false
  }
  // Signed out, or another branch is on screen by now: then what is there is printed.
  if (request.status !== 200 || request.getResponseHeader("HX-Retarget") || !request.responseText.includes("data-message-id")) return false
  more.outerHTML = request.responseText
  return true
}
