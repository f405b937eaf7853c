/** The buttons in the transcript. One listener handles them all, so HTML that arrives later needs no set-up. */
import { copyCode, copyMessage } from "chat/copy"
import { closeModelMenu, prepareModelMenu } from "chat/model-menu"

const CLOSED_BY_ESCAPE = "dialog[open], :popover-open:not([popover=manual])"

export function handleActions(main, conversation) {
  const handlers = {
    "continue": (_, article) => conversation.asking.rewrite("continue", article),
    "regenerate": (_, article) => conversation.asking.rewrite("regenerate", article),
    "regenerate-with": button => conversation.asking.rewrite("regenerate", closeModelMenu(button), button.dataset.model),
    "other-model": prepareModelMenu,
    "try-again": (_, article) => conversation.asking.rewrite("regenerate", article),
    copy: copyMessage,
    "copy-code": copyCode,
    edit: (_, article) => conversation.openEditor(article),
    example: button => conversation.composer.send(button.textContent.trim()),
    cancel: () => conversation.unsent.cancel(),
    unfold,
    latest: () => conversation.latest(),
  }
  main.addEventListener("click", event => {
    const button = event.target.closest("[data-action]")
    if (button && !button.ariaDisabled) handlers[button.dataset.action]?.(button, button.closest("article"))
  })
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return
    if (!document.querySelector(CLOSED_BY_ESCAPE)) conversation.stopping.stop()
  })
}

function unfold(button, article) {
  const open = article.toggleAttribute("data-unfolded")
  button.ariaExpanded = String(open)
  const { textContent } = button
  button.textContent = button.dataset.other
  button.dataset.other = textContent
}
