/** The part of the DOM that `chat/morph` and `chat/answer-streams` use. */
class FakeNode {
  parent = null

  remove() {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter(node => node !== this)
    this.parent = null
  }

  replaceWith(node) {
    node.remove()
    node.parent = this.parent
    this.parent.childNodes = this.parent.childNodes.map(each => (each === this ? node : each))
  }
}

class FakeText extends FakeNode {
  nodeName = "#text"
  nodeType = 3
  edits = []

  constructor(data) {
    super()
    this.data = data
  }

  get length() {
    return this.data.length
  }

  replaceData(start, count, added) {
    this.edits.push([start, count, added])
    this.data = this.data.slice(0, start) + added + this.data.slice(start + count)
  }
}

class FakeElement extends FakeNode {
  nodeType = 1
  dataset = {}
  childNodes = []
  attributes = []

  constructor(name) {
    super()
    this.nodeName = name.toUpperCase()
  }

  append(node) {
    node.remove()
    node.parent = this
    this.childNodes.push(node)
  }

  querySelector() {
    return null
  }

  getAttribute(name) {
    return this.attributes.find(each => each.name === name)?.value ?? null
  }

  hasAttribute(name) {
    return this.getAttribute(name) !== null
  }

  setAttribute(name, value) {
    this.removeAttribute(name)
    this.attributes.push({ name, value })
  }

  removeAttribute(name) {
    this.attributes = this.attributes.filter(each => each.name !== name)
  }
}

export const text = data => new FakeText(data)

export function element(name, ...children) {
  const made = new FakeElement(name)
  for (const child of children) made.append(child)
  return made
}

/** Set the globals. HTML in the tests is text alone; "|" ends a node. */
export function page() {
  globalThis.Node = { TEXT_NODE: 3, ELEMENT_NODE: 1 }
  globalThis.htmx = { process() {} }
  document.createElement = () => ({
    set innerHTML(html) {
      this.content = { childNodes: html.split("|").filter(Boolean).map(text) }
    },
  })
}
