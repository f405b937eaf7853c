/** Code and tables that scroll sideways can be reached and scrolled by keyboard. */
export function keepReachable(scroller) {
  let timer
  const observer = new ResizeObserver(() => {
    clearTimeout(timer)
    timer = setTimeout(() => mark(scroller), 150)
  })
  observer.observe(scroller.firstElementChild)
  return observer
}

function mark(scroller) {
  for (const block of scroller.querySelectorAll("[data-content] :is(pre, table)")) {
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0
    else block.removeAttribute("tabindex")
  }
}
