import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"
import { Socket, size } from "net/socket"

/** A WebSocket that the test drives. */
class FakeWebSocket {
  static all = []
  sent = []

  constructor(address) {
    this.address = address
    FakeWebSocket.all.push(this)
  }

  send(text) {
    this.sent.push(JSON.parse(text))
  }

  close(code) {
    this.closedWith = code ?? null
  }

  receive(event) {
    this.onmessage({ data: JSON.stringify(event) })
  }

  end(code) {
    this.onclose({ code })
  }
}

let socket
let heard
let expecting
const latest = () => FakeWebSocket.all.at(-1)
const opened = () => FakeWebSocket.all.length
const sent = op => latest().sent.filter(command => command.op === op)
const hello = () => latest().receive({ op: "hello" })

beforeEach(() => {
  mock.timers.reset()
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 })
  mock.method(Math, "random", () => 1)
  globalThis.WebSocket = FakeWebSocket
  FakeWebSocket.all = []
  const mine = heard = { events: [], states: [], lost: [], ended: [] } // sockets of earlier tests still listen
  expecting = false
  socket = new Socket("/ws/", {
    event: event => mine.events.push(event.op),
    state: state => mine.states.push(state),
    lost: code => mine.lost.push(code),
    ended: code => mine.ended.push(code),
    expecting: () => expecting,
    probe: () => socket.send({ op: "watch" }),
  })
  socket.connect()
})

test("the socket is open after the server's hello", () => {
  assert.equal(latest().address.href, "ws://chat.example/ws/")
  assert.equal(socket.send({ op: "stop" }), false)
  hello()
  assert.equal(socket.send({ op: "stop" }), true)
  assert.deepEqual(heard.states, ["connecting", "open"])
})

test("after a broken connection it connects again", () => {
  hello()
  latest().end(1006)
  assert.deepEqual(heard.lost, [1006])
  mock.timers.tick(249)
  assert.equal(opened(), 1)
  mock.timers.tick(1)
  assert.equal(opened(), 2)
})

test("after a restart of the server it connects at once", () => {
  hello()
  latest().end(1012)
  mock.timers.tick(1)
  assert.equal(opened(), 2)
})

for (const code of [1013, 4429]) {
  test(`after ${code} it connects again`, () => {
    hello()
    latest().end(code)
    mock.timers.tick(5000)
    assert.equal(opened(), 2)
  })
}

for (const code of [4401, 4403]) {
  test(`after ${code} it stays closed`, () => {
    hello()
    latest().end(code)
    mock.timers.tick(60_000)
    socket.connect()
    assert.equal(opened(), 1)
    assert.deepEqual(heard.ended, [code])
  })
}

test("a connection attempt that takes too long is abandoned", () => {
  mock.timers.tick(8000)
  assert.equal(heard.states.at(-1), "lost")
  mock.timers.tick(250)
  assert.equal(opened(), 2)
})

test("silence is probed while something is expected, and without an answer the connection is abandoned", () => {
  hello()
  expecting = true
  mock.timers.tick(4000)
  assert.equal(sent("watch").length, 1)
  mock.timers.tick(2500)
  assert.equal(heard.states.at(-1), "lost")
  mock.timers.tick(250)
  assert.equal(opened(), 2)
})

test("an answer to the probe keeps the connection", () => {
  hello()
  expecting = true
  mock.timers.tick(4000)
  latest().receive({ op: "watching" })
  mock.timers.tick(2500)
  assert.equal(heard.states.at(-1), "open")
})

test("silence is fine while nothing is expected", () => {
  hello()
  mock.timers.tick(60_000)
  assert.deepEqual(sent("watch"), [])
})

test("a socket that seems dead closes only after its successor opened", () => {
  mock.timers.tick(8000)
  const [old] = FakeWebSocket.all
  mock.timers.tick(250)
  hello()
  assert.equal(old.closedWith, undefined)
  mock.timers.tick(5000)
  assert.equal(old.closedWith, null)
})

test("going offline shows at once, and ends with a later event", () => {
  hello()
  dispatchEvent(new Event("offline"))
  assert.equal(heard.states.at(-1), "offline")
  mock.timers.tick(2000)
  latest().receive({ op: "delta" })
  assert.equal(heard.states.at(-1), "offline")
  mock.timers.tick(1)
  latest().receive({ op: "delta" })
  assert.equal(heard.states.at(-1), "open")
})

test("events are acknowledged every second and a half, after 64 KiB, and on a ping", () => {
  hello()
  latest().receive({ op: "delta" })
  assert.deepEqual(sent("ack").map(each => each.received), [1])
  latest().receive({ op: "ping" })
  latest().receive({ op: "delta", html: "x".repeat(65_536) })
  mock.timers.tick(1500)
  latest().receive({ op: "delta" })
  assert.deepEqual(sent("ack").map(each => each.received), [1, 3, 4, 5])
})

test("a size is in bytes of UTF-8", () => assert.equal(size("é"), 4))
