/** Keeps the end of the transcript in sight, only while the person is there. */
const NEAR = 24
const FAR = 120

export class Follow {
  #scroller
  #button
  #following
  #top = 0
  #observer = new ResizeObserver(() => this.#resized())

  constructor(root, top = null) {
    this.#scroller = root.querySelector("[data-scroller]")
    this.#button = root.querySelector("[data-action=latest]")
    if (top !== null) this.#scroller.scrollTop = top
    this.#following = top === null || this.#isNear(NEAR)
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true })
    this.#observer.observe(this.#scroller)
    this.#observer.observe(this.#scroller.firstElementChild)
  }

  get top() {
    return this.#scroller.scrollTop
  }

  toEnd() {
    this.#following = true
    this.#resized()
  }

  disconnect() {
    this.#observer.disconnect()
  }

  // The end of what is loaded is not the end of the conversation while more of it can be fetched.
  #isNear(distance) {
    return this.#distance <= distance && !this.#scroller.querySelector("[data-more=newer]")
  }

  get #distance() {
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight
  }

  // A step up ends the following at once, so that nobody has to fight the page; text that shrinks is no step.
  #scrolled() {
    const top = this.#scroller.scrollTop
    if (this.#isNear(2) || (top > this.#top && this.#isNear(NEAR))) this.#following = true
    else if (top < this.#top - 1) this.#following = false
    this.#top = top
    this.#offer()
  }

  // Observers run after layout and before paint: what has grown is never seen in the wrong place.
  #resized() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#top = this.#scroller.scrollTop
    this.#offer()
  }

  #offer() {
    this.#button.hidden = this.#following || this.#isNear(FAR)
  }
}
