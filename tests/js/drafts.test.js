import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { Draft, takeOrphan } from "chat/draft"
import { forgetTyped } from "net/storage"
import { tab } from "net/tabs"

beforeEach(() => {
  for (const key of Object.keys(localStorage)) localStorage.removeItem(key)
  navigator.locks.held = []
})

test("a draft belongs to one person and one conversation", () => {
  new Draft("alice", "c1").text = "hello"
  assert.equal(new Draft("alice", "c1").text, "hello")
  assert.equal(new Draft("alice", "c2").text, "")
  assert.equal(new Draft("bob", "c1").text, "")
})

test("an empty draft leaves nothing behind", () => {
  const draft = new Draft("alice", "c1")
  draft.text = "hello"
  draft.text = " "
  assert.deepEqual(Object.keys(localStorage), [])
})

test("a returned text comes before the draft", () => {
  const draft = new Draft("alice", "c1")
  draft.text = "second"
  draft.prepend("first")
  assert.equal(draft.text, "first\n\nsecond")
})

test("the draft of a new chat is passed on when its tab is closed", async () => {
  localStorage.setItem("draft:alice:new:other", "left behind")
  navigator.locks.held = ["tab:other"]
  assert.equal(await takeOrphan("alice"), "")
  navigator.locks.held = []
  assert.equal(await takeOrphan("bob"), "")
  assert.equal(await takeOrphan("alice"), "left behind")
  assert.equal(await takeOrphan("alice"), "")
})

test("the draft of a new chat belongs to its tab", () => {
  new Draft("alice", null).text = "mine"
  assert.equal(localStorage.getItem(`draft:alice:new:${tab}`), "mine")
})

test("the next person finds no drafts, and nobody does after signing out", () => {
  new Draft("alice", "c1").text = "hers"
  new Draft("bob", "c1").text = "his"
  forgetTyped("bob")
  assert.equal(new Draft("alice", "c1").text, "")
  assert.equal(new Draft("bob", "c1").text, "his")
  forgetTyped()
  assert.equal(new Draft("bob", "c1").text, "")
})

test("full or forbidden storage is harmless", t => {
  const refuse = () => {
    throw new DOMException("no", "QuotaExceededError")
  }
  for (const name of ["getItem", "setItem", "removeItem"]) t.mock.method(localStorage, name, refuse)
  const draft = new Draft("alice", "c1")
  draft.text = "hello"
  assert.equal(draft.text, "")
})
