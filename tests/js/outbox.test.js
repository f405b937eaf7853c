import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"
import { Outbox } from "net/outbox"
import { OutboxStore } from "net/outbox-store"

const BROKEN = 1006
const TOO_LARGE = 1009
const send = (id, content = "hello") => ({ op: "send", id, content })

class FakeSocket {
  open = true
  frames = []

  send(command) {
    if (this.open) this.frames.push(command)
    return this.open
  }
}

let socket
let outbox

beforeEach(() => {
  for (const key of Object.keys(localStorage)) localStorage.removeItem(key)
  navigator.locks.held = []
  socket = new FakeSocket()
  outbox = new Outbox(socket, new OutboxStore("alice"))
})

test("unanswered commands are sent again with the same id", () => {
  outbox.post("1", send("1"), "c1")
  outbox.replay()
  assert.deepEqual(socket.frames, [send("1"), send("1")])
})

test("a command given without a connection goes out with the next one", () => {
  socket.open = false
  outbox.post("1", send("1"), "c1")
  assert.equal(outbox.wasSent("1"), false)
  socket.open = true
  outbox.replay()
  assert.deepEqual(socket.frames, [send("1")])
  assert.equal(outbox.wasSent("1"), true)
})

test("an answered command is forgotten and never sent again", () => {
  outbox.post("1", send("1"), "c1")
  assert.equal(outbox.remove("1").place, "c1")
  outbox.replay()
  assert.equal(socket.frames.length, 1)
  assert.equal(outbox.empty, true)
  assert.deepEqual(Object.keys(localStorage), [])
})

test("a frame that is too large is given back at once", () => {
  outbox.post("1", send("1"), "c1")
  assert.deepEqual(outbox.giveUpAfter(TOO_LARGE).map(entry => entry.command), [send("1")])
  assert.equal(outbox.empty, true)
})

test("a command is abandoned after four broken connections, not after restarts", () => {
  outbox.post("1", send("1"), "c1")
  for (const code of [BROKEN, 1012, BROKEN, 1012, BROKEN]) assert.deepEqual(outbox.giveUpAfter(code), [])
  assert.equal(outbox.giveUpAfter(BROKEN).length, 1)
})

test("a command that was never sent is not blamed for a broken connection", () => {
  socket.open = false
  outbox.post("1", send("1"), "c1")
  assert.deepEqual(outbox.giveUpAfter(TOO_LARGE), [])
})

test("a closed tab's command goes out from the next tab, once", async () => {
  const left = { command: send("9"), place: "c1", tab: "other" }
  localStorage.setItem("letter:alice:9", JSON.stringify(left))
  navigator.locks.held = ["tab:other"]
  assert.deepEqual(await outbox.unanswered("c1"), [])
  navigator.locks.held = []
  assert.deepEqual((await outbox.unanswered("c2")).length, 0)
  assert.deepEqual((await outbox.unanswered("c1")).map(entry => entry.command), [send("9")])
  await outbox.unanswered("c1")
  assert.deepEqual(socket.frames, [send("9")])
})

test("somebody else's commands, and a broken entry, are left alone", async () => {
  localStorage.setItem("letter:bob:9", JSON.stringify({ command: send("9"), place: "c1", tab: "gone" }))
  localStorage.setItem("letter:alice:8", "{")
  assert.deepEqual(await outbox.unanswered("c1"), [])
})
