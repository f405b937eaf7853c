/** Unanswered commands that carry a person's text, in the browser's storage: closing the tab does not lose them. */
import { local } from "net/storage"
import { otherOpenTabs, tab } from "net/tabs"

export class OutboxStore {
  #prefix

  constructor(user) {
    this.#prefix = `letter:${user}:`
  }

  /** `place`: id of the conversation that the command was given in; null for a new chat. */
  save(command, place) {
    if ("content" in command) local.set(this.#prefix + command.id, JSON.stringify({ command, place, tab }))
  }

  remove(command) {
    if ("content" in command) local.remove(this.#prefix + command.id)
  }

  /** Take over the commands of this place whose tab is closed. Returns them as { command, place, tab }. */
  async adopt(place) {
    const isOpen = await otherOpenTabs()
    const stored = local.keys(this.#prefix).map(key => parse(local.get(key)))
    const left = stored.filter(entry => entry && entry.place === place && !isOpen(entry.tab))
    for (const entry of left) this.save(entry.command, place)
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
