/** Places an open popover beside the button that opened it. */
const MARGIN = 8

/** Below the button, or above it if there is no room; `left` is where it begins, unless that is off the screen. */
export function placeBeside(popover, button, left) {
  const { top, bottom } = button.getBoundingClientRect()
  const { offsetHeight: height, offsetWidth: width } = popover
  const below = bottom + height + MARGIN <= innerHeight
  popover.style.top = `${within(below ? bottom : top - height, height, innerHeight)}px`
  popover.style.left = `${within(left, width, innerWidth)}px`
}

const within = (start, size, room) => Math.max(MARGIN, Math.min(start, room - size - MARGIN))
