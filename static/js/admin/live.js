/** The list of what runs now: it is not asked for while nobody sees it, and anew as soon as somebody does. */
const list = document.querySelector("[data-running]")

list.addEventListener("htmx:confirm", event => {
  if (document.hidden) event.preventDefault()
})

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) htmx.trigger(list, "seen")
})
