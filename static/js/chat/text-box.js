/** What the composer and the editor have in common: which Enter sends, and a height that fits the text. */
const coarse = matchMedia("(pointer: coarse)")

export const isTouch = () => coarse.matches

export function enterSends() {
  return !isTouch() && document.getElementById("main").dataset.enterSends !== "false"
}

/** Whether this key sends: never with Shift, never while an input method composes text. */
export function isSendKey(event) {
  // 229: Safari ends the composition before it reports the key that ended it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return false
  return enterSends() || event.ctrlKey || event.metaKey
}

/** Fit the height to the text in browsers where the style sheet cannot. */
export function fitHeight(area) {
  if (CSS.supports("field-sizing", "content")) return
  area.style.blockSize = "auto"
  area.style.blockSize = `${area.scrollHeight}px`
}
