/** Which Enter sends: as the person chose, never within a composition, and never alone where one types with fingers. */
const fingers = matchMedia("(pointer: coarse)")

export const byFinger = () => fingers.matches

export function enterSends() {
  return !byFinger() && document.getElementById("main").dataset.enterSends !== "false"
}

export function sends(event) {
  // 229: Safari ends a composition before it tells of the key that ended it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return false
  return enterSends() || event.ctrlKey || event.metaKey
}
