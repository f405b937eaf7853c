/** Refuses files, which cannot be sent. The browser would open a dropped file in place of the page and end the answer. */
const hasFiles = transfer => [...transfer?.types ?? []].includes("Files")

/** `refused` is called when somebody tries. */
export function refuseFiles(refused) {
  document.addEventListener("dragover", event => hasFiles(event.dataTransfer) && event.preventDefault())
  document.addEventListener("drop", event => {
    if (!hasFiles(event.dataTransfer)) return
    event.preventDefault()
    refused()
  })
  // A table from a spreadsheet comes as text and as a picture: the text is pasted.
  document.addEventListener("paste", event => {
    const { files, types } = event.clipboardData
    if (!files.length || types.includes("text/plain")) return
    event.preventDefault()
    refused()
  })
}
