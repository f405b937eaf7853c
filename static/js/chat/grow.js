/**
 * Bring the nodes of an element to what newer HTML says, and touch nothing that stays the same: a selection inside of
 * it survives, and nothing flashes.
 */

/** The nodes of `element` from `start` on become `nodes`. What the page itself has put there (buttons) stays. */
export function grow(element, nodes, start = 0) {
  const old = [...element.childNodes].slice(start).filter(node => !isOwn(node))
  nodes.forEach((node, place) => {
    const existing = old[place]
    if (!existing) element.append(node)
    else if (!become(existing, node)) existing.replaceWith(node)
  })
  for (const node of old.slice(nodes.length)) node.remove()
}

const isOwn = node => node.nodeType === Node.ELEMENT_NODE && "own" in node.dataset

/** False: they have nothing in common. */
function become(node, newer) {
  if (node.nodeName !== newer.nodeName) return false
  if (node.nodeType === Node.TEXT_NODE) rewrite(node, newer.data)
  else {
    dress(node, newer)
    grow(node, [...newer.childNodes])
  }
  return true
}

// The common beginning is left alone, so that a selection within it is.
function rewrite(node, text) {
  let same = 0
  if (text.startsWith(node.data)) same = node.length
  else while (node.data[same] === text[same]) same++
  if (same < node.length || same < text.length) node.replaceData(same, node.length - same, text.slice(same))
}

function dress(node, newer) {
  for (const { name, value } of newer.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value)
  // By which the page makes wide code and tables reachable.
  for (const { name } of [...node.attributes]) if (!newer.hasAttribute(name) && name !== "tabindex") node.removeAttribute(name)
}
