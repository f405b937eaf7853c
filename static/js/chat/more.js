/** Loads the messages before and behind those on the page as one scrolls to them; what is in sight stays where it is. */
const AHEAD = "800px 0px"
const link = more => more.querySelector("a")

export class More {
  #scroller
  #observer

  /** `arrived`: called when newer messages have come. */
  constructor(root, arrived) {
    this.#scroller = root.querySelector("[data-scroller]")
    this.#observer = new IntersectionObserver(seen => this.#load(seen), { root: this.#scroller, rootMargin: AHEAD })
    this.#scroller.addEventListener("htmx:beforeSwap", event => this.#swapping(event.detail.target, arrived))
    this.observe()
  }

  /** Watch for the ways to more that are in the page now. */
  observe() {
    this.#observer.disconnect()
    for (const more of this.#scroller.querySelectorAll("[data-more]")) this.#observer.observe(more)
  }

  disconnect() {
    this.#observer.disconnect()
  }

  #load(seen) {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue
      this.#observer.unobserve(target)
      link(target).click()
    }
  }

  #swapping(target, arrived) {
    if (!("more" in target.dataset)) return
    const below = this.#scroller.scrollHeight - this.#scroller.scrollTop
    const focused = target.contains(document.activeElement)
    target.parentElement.addEventListener("htmx:afterSwap", () => {
      // Before the next paint, so that nobody sees it move.
      if (target.dataset.more === "older") this.#scroller.scrollTop = this.#scroller.scrollHeight - below
      if (focused && !this.#scroller.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true })
      this.observe()
      if (target.dataset.more === "newer") arrived()
    }, { once: true })
  }
}
