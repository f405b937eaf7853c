/** Commands with what a person typed, kept in the browser until the server has answered: a closed tab loses none. */
import { tab } from "net/ids"
import { kept } from "net/storage"
import { othersOpen } from "net/tabs"

export class Letters {
  #prefix

  constructor(user) {
    this.#prefix = `letter:${user}:`
  }

  /** `place`: the conversation that it was written in, null for a new one. */
  keep(command, place) {
    if ("content" in command) kept.set(this.#prefix + command.id, JSON.stringify({ command, place, tab }))
  }

  drop(command) {
    if ("content" in command) kept.remove(this.#prefix + command.id)
  }

  /** Take charge of those of this place whose tab is gone, oldest first. */
  async adopt(place) {
    const open = await othersOpen()
    const found = kept.keys(this.#prefix).map(key => parse(kept.get(key)))
    const left = found.filter(letter => letter && letter.place === place && !open(letter.tab))
    for (const letter of left) this.keep(letter.command, place)
    return left
  }
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
