/** "Regenerate with another model": one menu for all answers, opened beside the one that it is for. */
const MARGIN = 8

let answer = null

/** Before the browser opens the menu, which the button does by itself. */
export function openModels(button, article) {
  answer = article
  const menu = button.popoverTargetElement
  const { left, top, bottom } = button.getBoundingClientRect()
  const above = top > innerHeight / 2
  menu.style.top = above ? "auto" : `${bottom}px`
  menu.style.bottom = above ? `${innerHeight - top}px` : "auto"
  menu.style.left = `${left}px`
  menu.addEventListener("toggle", () => {
    const beyond = menu.getBoundingClientRect().right - innerWidth + MARGIN
    if (beyond > 0) menu.style.left = `${left - beyond}px`
  }, { once: true })
}

/** The answer that the menu was opened for; closes the menu. */
export function chosenFor(button) {
  button.closest("[popover]").hidePopover()
  return answer
}
