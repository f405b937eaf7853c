/** A message of one's own becomes a form in its place. */
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
    if (event.isComposing) return
    if (event.key === "Escape") cancel()
    else if (event.key === "Enter" && !event.shiftKey && event.target === area) form.requestSubmit()
    else return
    event.preventDefault()
    event.stopPropagation()
  })
  form.querySelector("[data-cancel]").addEventListener("click", cancel)
  content.hidden = footer.hidden = true
  content.after(form)
  area.value = text
  area.focus()
}
