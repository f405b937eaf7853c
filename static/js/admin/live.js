/** The list of running answers: polling pauses while the page is hidden, and the list reloads once it is visible. */
const list = document.querySelector("[data-running]")

list.addEventListener("htmx:confirm", event => {
  if (document.hidden) event.preventDefault()
})

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) htmx.trigger(list, "seen")
})
