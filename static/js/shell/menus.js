/** All menus: they open with the focus on their first item, and the arrow keys move it around. */
export const items = menu => [...menu.querySelectorAll(".menu__item")]

document.addEventListener("toggle", ({ target, newState }) => {
  if (newState === "open" && target.matches(".menu") && !target.contains(document.activeElement)) items(target)[0]?.focus()
}, { capture: true })

document.addEventListener("keydown", event => {
  const menu = event.target.closest?.(".menu")
  if (!menu) return
  const all = items(menu)
  const place = all.indexOf(document.activeElement)
  const next = { ArrowDown: (place + 1) % all.length, ArrowUp: Math.max(place, 0) - 1, Home: 0, End: -1 }[event.key]
  if (next === undefined) return
  event.preventDefault()
  all.at(next).focus()
})
