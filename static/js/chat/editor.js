/** Turns one of the person's own messages into a form in its place. */
import { fitHeight, isSendKey } from "chat/text-box"

/** `save(text)` returns whether the text was taken. Returns the text box. */
export function openEditor(root, article, text, save) {
  article.querySelector("[data-editor]")?.remove()
  const content = article.querySelector("[data-content]")
  const footer = article.querySelector("[data-footer]")
  const form = root.querySelector("[data-template=editor]").content.firstElementChild.cloneNode(true)
  const area = form.elements.content
  const close = () => {
    form.remove()
    content.hidden = footer.hidden = false
  }
  const cancel = () => {
    close()
    footer.querySelector("[data-action=edit]")?.focus()
  }
  form.addEventListener("submit", event => {
    event.preventDefault()
    if (area.value.trim() && save(area.value.trim())) close()
  })
  form.addEventListener("keydown", event => {
    if (event.key === "Escape" && !event.isComposing) cancel()
    else if (isSendKey(event) && event.target === area) form.requestSubmit()
    else return
    event.preventDefault()
    event.stopPropagation()
  })
  form.querySelector("[data-cancel]").addEventListener("click", cancel)
  area.addEventListener("input", () => fitHeight(area))
  content.hidden = footer.hidden = true
  content.after(form)
  area.value = text
  fitHeight(area)
  area.focus()
  return area
}

/**
 * Call `replace`, which changes the messages, without losing what is typed in open editors: `reopen(messageId, text)` is
 * called for each editor that was removed with its message, and returns the new text box, if any.
 */
export function keepEditors(root, replace, reopen) {
  const open = [...root.querySelectorAll("[data-editor]")].map(form => {
    const { selectionStart, selectionEnd, value } = form.elements.content
    return { form, value, id: form.closest("article").dataset.messageId, selection: [selectionStart, selectionEnd] }
  })
  const { activeElement } = document
  replace()
  for (const { form, value, id, selection } of open.filter(({ form }) => !form.isConnected)) {
    const area = reopen(id, value)
    if (form.contains(activeElement)) area?.setSelectionRange(...selection)
    else activeElement?.focus({ preventScroll: true })
  }
}
