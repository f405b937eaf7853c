/** Loads older and newer messages when the person scrolls near them. What is in sight stays where it is. */
const MARGIN = "800px 0px"
const link = more => more.querySelector("a")

export class Paging {
  #scroller
  #observer

  /** `newerLoaded` is called after newer messages were loaded. */
  constructor(root, newerLoaded) {
    this.#scroller = root.querySelector("[data-scroller]")
    this.#observer = new IntersectionObserver(entries => this.#load(entries), { root: this.#scroller, rootMargin: MARGIN })
    this.#scroller.addEventListener("htmx:beforeSwap", event => this.#swapping(event.detail.target, newerLoaded))
    this.observe()
  }

  /** Observe the links to more messages that are on the page now. */
  observe() {
    this.#observer.disconnect()
    for (const more of this.#scroller.querySelectorAll("[data-more]")) this.#observer.observe(more)
  }

  disconnect() {
    this.#observer.disconnect()
  }

  #load(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue
      this.#observer.unobserve(target)
      link(target).click()
    }
  }

  #swapping(target, newerLoaded) {
    if (!("more" in target.dataset)) return
    const below = this.#scroller.scrollHeight - this.#scroller.scrollTop
    const focused = target.contains(document.activeElement)
    target.parentElement.addEventListener("htmx:afterSwap", () => {
      // Before the next paint, so that nothing is seen to move.
      if (target.dataset.more === "older") this.#scroller.scrollTop = this.#scroller.scrollHeight - below
      if (focused && !this.#scroller.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true })
      this.observe()
      if (target.dataset.more === "newer") newerLoaded()
    }, { once: true })
  }
}
