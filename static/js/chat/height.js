/** Let a text box be as high as its text, where the style sheet alone cannot. */
export function fit(area) {
  if (CSS.supports("field-sizing", "content")) return
  area.style.blockSize = "auto"
  area.style.blockSize = `${area.scrollHeight}px`
}
