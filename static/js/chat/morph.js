/** Changes nodes to match newer HTML, and leaves alone what is the same: a selection in it survives, nothing flashes. */

/** Make the children of `element` from index `start` on match `nodes`. Buttons that the page itself added stay. */
export function morphChildren(element, nodes, start = 0) {
  const old = [...element.childNodes].slice(start).filter(node => !isOwn(node))
  nodes.forEach((node, index) => {
    const existing = old[index]
    if (!existing) element.append(node)
    else if (!morph(existing, node)) existing.replaceWith(node)
  })
  for (const node of old.slice(nodes.length)) node.remove()
}

const isOwn = node => node.nodeType === Node.ELEMENT_NODE && "own" in node.dataset

/** Returns false if the two are of different kinds. */
function morph(node, newer) {
  if (node.nodeName !== newer.nodeName) return false
  if (node.nodeType === Node.TEXT_NODE) morphText(node, newer.data)
  else {
    morphAttributes(node, newer)
    morphChildren(node, [...newer.childNodes])
  }
  return true
}

// The common prefix is not touched, so a selection in it survives.
function morphText(node, text) {
  let same = 0
  if (text.startsWith(node.data)) same = node.length
  else while (node.data[same] === text[same]) same++
  if (same < node.length || same < text.length) node.replaceData(same, node.length - same, text.slice(same))
}

function morphAttributes(node, newer) {
  for (const { name, value } of newer.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value)
  // The page itself sets tabindex (chat/blocks).
  for (const { name } of [...node.attributes]) if (!newer.hasAttribute(name) && name !== "tabindex") node.removeAttribute(name)
}
