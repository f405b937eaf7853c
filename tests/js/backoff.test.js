import assert from "node:assert/strict"
import { test } from "node:test"
import { Backoff } from "net/backoff"

test("the delay doubles up to five seconds", t => {
  t.mock.method(Math, "random", () => 1)
  const backoff = new Backoff()
  const delays = Array.from({ length: 7 }, () => backoff.delay(1006, 0))
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 5000, 5000])
})

test("a quarter of the delay is random", t => {
  t.mock.method(Math, "random", () => 0)
  assert.equal(new Backoff().delay(1006, 0), 187.5)
})

test("only a connection that held resets the delay", t => {
  t.mock.method(Math, "random", () => 1)
  const backoff = new Backoff()
  backoff.delay(1006, 0)
  assert.equal(backoff.delay(1013, 100), 500)
  assert.equal(backoff.delay(1013, 3000), 250)
})

test("a restarting server is tried again at once, but only once", () => {
  const backoff = new Backoff()
  assert.equal(backoff.delay(1012, 10_000), 0)
  assert.ok(backoff.delay(1012, 0) > 0)
})

test("a page that sent too much waits five seconds", () => assert.equal(new Backoff().delay(4429, 10_000), 5000))
