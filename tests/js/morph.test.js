import assert from "node:assert/strict"
import { test } from "node:test"
import { element, page, text } from "./dom.mjs"

page()
const { morphChildren } = await import("chat/morph")

test("text grows without its beginning being touched", () => {
  const node = text("hello")
  const paragraph = element("p", node)
  morphChildren(paragraph, [text("hello world")])
  assert.equal(paragraph.childNodes[0], node)
  assert.deepEqual(node.edits, [[5, 0, " world"]])
})

test("text that changes keeps its common beginning", () => {
  const node = text("hello")
  morphChildren(element("p", node), [text("help")])
  assert.deepEqual(node.edits, [[3, 2, "p"]])
})

test("text that is the same is not touched", () => {
  const node = text("hello")
  morphChildren(element("p", node), [text("hello")])
  assert.deepEqual(node.edits, [])
})

test("elements of the same kind stay, others are replaced, extra ones are removed", () => {
  const kept = element("p", text("one"))
  const parent = element("div", kept, element("p", text("two")), element("p", text("three")))
  const list = element("ul")
  morphChildren(parent, [element("p", text("one!")), list])
  assert.deepEqual(parent.childNodes, [kept, list])
  assert.equal(kept.childNodes[0].data, "one!")
})

test("finished nodes and the page's own buttons are left alone", () => {
  const finished = element("p", text("finished"))
  const button = element("button")
  button.dataset.own = ""
  const parent = element("div", finished, text("a"), button)
  morphChildren(parent, [text("ab")], 1)
  assert.deepEqual(parent.childNodes.map(node => node.data ?? node.nodeName), ["P", "ab", "BUTTON"])
})

test("attributes are updated, except the tabindex that the page set", () => {
  const node = element("pre")
  node.setAttribute("tabindex", "0")
  node.setAttribute("class", "old")
  const newer = element("pre")
  newer.setAttribute("lang", "py")
  morphChildren(element("div", node), [newer])
  assert.deepEqual(node.attributes, [{ name: "tabindex", value: "0" }, { name: "lang", value: "py" }])
})
