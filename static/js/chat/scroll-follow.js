/** Keeps the end of the transcript in sight while the person is there, and offers "Latest" elsewhere. */
// Pixels from the end: where following begins again; where "Latest" appears.
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

  // While newer messages can be loaded, the end of the loaded ones is not the end of the conversation.
  #isNear(distance) {
    return this.#distance <= distance && !this.#scroller.querySelector("[data-more=newer]")
  }

  get #distance() {
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight
  }

  // Scrolling up ends following at once, so that nobody has to fight the page. Text that shrinks is not scrolling.
  #scrolled() {
    const top = this.#scroller.scrollTop
    if (this.#isNear(2) || (top > this.#top && this.#isNear(NEAR))) this.#following = true
    else if (top < this.#top - 1) this.#following = false
    this.#top = top
    this.#updateButton()
  }

  // Runs after layout and before paint, so new text is never seen in the wrong place.
  #resized() {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#top = this.#scroller.scrollTop
    this.#updateButton()
  }

  #updateButton() {
    this.#button.hidden = this.#following || this.#isNear(FAR)
  }
}
