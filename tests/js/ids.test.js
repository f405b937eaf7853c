import assert from "node:assert/strict"
import { test } from "node:test"
import { newId } from "net/ids"

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test("an id is a version 4 UUID", () => assert.match(newId(), UUID4))

test("an id is a version 4 UUID without crypto.randomUUID too", () => {
  const { randomUUID } = crypto
  crypto.randomUUID = undefined
  try {
    const ids = Array.from({ length: 100 }, newId)
    for (const id of ids) assert.match(id, UUID4)
    assert.equal(new Set(ids).size, 100)
  } finally {
    crypto.randomUUID = randomUUID
  }
})
