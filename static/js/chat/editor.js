/** A message of one's own becomes a form in its place. */
import { fit } from "chat/height"
import { sends } from "chat/keys"

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
    else if (sends(event) && event.target === area) form.requestSubmit()
    else return
    event.preventDefault()
    event.stopPropagation()
  })
  form.querySelector("[data-cancel]").addEventListener("click", cancel)
  area.addEventListener("input", () => fit(area))
  content.hidden = footer.hidden = true
  content.after(form)
  area.value = text
  fit(area)
  area.focus()
  return area
}

/**
 * Let `replace` change the messages. What somebody is typing into one of them is kept: `reopen(messageId, text)` is
 * called for each editor that went with its message.
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
