/** Files cannot be sent. Dropped beside it all, the browser would open one in place of the page and end the answer. */
const hasFiles = transfer => [...transfer?.types ?? []].includes("Files")

/** `told`: called when somebody tried. */
export function refuseFiles(told) {
  document.addEventListener("dragover", event => hasFiles(event.dataTransfer) && event.preventDefault())
  document.addEventListener("drop", event => {
    if (!hasFiles(event.dataTransfer)) return
    event.preventDefault()
    told()
  })
  // A table comes as a picture of it, too: then its text counts.
  document.addEventListener("paste", event => {
    const { files, types } = event.clipboardData
    if (!files.length || types.includes("text/plain")) return
    event.preventDefault()
    told()
  })
}
