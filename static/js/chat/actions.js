/** Buttons in the transcript, handled in one place, so that HTML which arrives later needs no set-up. */
import { copy, copyCode } from "chat/copy"
import { chosenFor, openModels } from "chat/models"

const CLOSED_BY_ESCAPE = "dialog[open], :popover-open:not([popover=manual])"

export function handleActions(main, conversation) {
  const verbs = {
    "continue": (_, article) => conversation.again("continue", article),
    "regenerate": (_, article) => conversation.again("regenerate", article),
    "regenerate-with": button => conversation.again("regenerate", chosenFor(button), button.dataset.model),
    "other-model": openModels,
    "try-again": (_, article) => conversation.again("regenerate", article),
    copy,
    "copy-code": copyCode,
    edit: (_, article) => conversation.openEditor(article),
    example: button => conversation.composer.send(button.textContent.trim()),
    cancel: () => conversation.cancel(),
    unfold,
    latest: () => conversation.latest(),
  }
  main.addEventListener("click", event => {
    const button = event.target.closest("[data-action]")
    if (button && !button.ariaDisabled) verbs[button.dataset.action]?.(button, button.closest("article"))
  })
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return
    if (!document.querySelector(CLOSED_BY_ESCAPE)) conversation.stop()
  })
}

function unfold(button, article) {
  const open = article.toggleAttribute("data-unfolded")
  button.ariaExpanded = String(open)
  const { textContent } = button
  button.textContent = button.dataset.other
  button.dataset.other = textContent
}
