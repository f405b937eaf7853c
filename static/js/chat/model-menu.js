/** "Regenerate with another model": one menu for all answers, opened beside the answer that it applies to. */
import { placeBeside } from "shell/popover"

let answer = null

/** The browser opens the menu itself, right after this. It is placed as soon as its size is known, before it is painted. */
export function prepareModelMenu(button, article) {
  answer = article
  requestAnimationFrame(() => placeBeside(button.popoverTargetElement, button, button.getBoundingClientRect().left))
}

/** Close the menu. Returns the answer that it was opened for. */
export function closeModelMenu(button) {
  button.closest("[popover]").hidePopover()
  return answer
}
