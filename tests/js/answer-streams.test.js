import assert from "node:assert/strict"
import { test } from "node:test"
import { element, page } from "./dom.mjs"

page()
const { AnswerStreams } = await import("chat/answer-streams")

const GENERATION = "g"

function begun() {
  const content = element("div")
  const parts = { "[data-content]": content, "[data-note]": {}, "[data-footer]": {} }
  const article = { dataset: { status: "streaming" }, querySelector: selector => parts[selector] ?? null }
  const streams = new AnswerStreams()
  streams.snapshot(article, { generation: GENERATION, seq: 3, html: "one|", tail: "tw" })
  const delta = (seq, changes) => streams.delta(article, { generation: GENERATION, seq, html: "", keep: 0, tail: "", ...changes })
  const end = seq => streams.end(article, { generation: GENERATION, seq, status: "complete", note: "", footer: "" })
  return { article, content, delta, end, streams, texts: () => content.childNodes.map(node => node.data) }
}

test("a delta goes on where the snapshot ends", () => {
  const { delta, texts } = begun()
  assert.equal(delta(4, { keep: 2, tail: "o" }), "applied")
  assert.deepEqual(texts(), ["one", "two"])
  assert.equal(delta(5, { html: "two|", tail: "th" }), "applied")
  assert.deepEqual(texts(), ["one", "two", "th"])
})

test("a sequence number that the page has seen is ignored", () => {
  const { delta, texts } = begun()
  assert.equal(delta(3, { tail: "x" }), "ignored")
  assert.deepEqual(texts(), ["one", "tw"])
})

test("a gap is reported, and nothing is applied until the next snapshot", () => {
  const { article, delta, end, streams, texts } = begun()
  assert.equal(delta(5, { tail: "x" }), "gap")
  assert.equal(delta(6, { tail: "y" }), "ignored")
  assert.equal(end(7), "gap")
  assert.deepEqual(texts(), ["one", "tw"])
  streams.snapshot(article, { generation: GENERATION, seq: 6, html: "one|", tail: "two" })
  assert.equal(delta(7, { keep: 3, tail: "!" }), "applied")
  assert.deepEqual(texts(), ["one", "two!"])
})

test("a snapshot for a message that the page lacks is a gap", () => {
  assert.equal(new AnswerStreams().snapshot(null, { generation: GENERATION, seq: 1, html: "", tail: "" }), "gap")
})

test("the end is applied once", () => {
  const { article, end } = begun()
  assert.equal(end(5), "gap")
  const other = begun()
  assert.equal(other.end(4), "applied")
  assert.equal(other.article.dataset.status, "complete")
  assert.equal(other.end(4), "ignored")
  assert.equal(article.dataset.status, "streaming")
})

test("after a reconnect the page waits for a snapshot", () => {
  const { delta, streams } = begun()
  streams.forget()
  assert.equal(delta(4, { tail: "x" }), "ignored")
})
