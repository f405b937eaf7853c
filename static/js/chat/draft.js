/** Text that was typed and not sent, per person and conversation; for new chats per tab. It survives a reload. */
import { local } from "net/storage"
import { otherOpenTabs, tab } from "net/tabs"

const NEW = "new:"
const prefix = user => `draft:${user}:`

export class Draft {
  #key

  /** `conversation`: its id; empty or null for a new chat. */
  constructor(user, conversation) {
    this.#key = prefix(user) + (conversation || NEW + tab)
  }

  get text() {
    return local.get(this.#key) ?? ""
  }

  set text(text) {
    if (text.trim()) local.set(this.#key, text)
    else local.remove(this.#key)
  }

  /** Put a text before the draft. */
  prepend(text) {
    this.text = joined(text, this.text)
  }
}

/** Both texts, with an empty line between them. */
export function joined(first, second) {
  return [first, second].filter(text => text.trim()).join("\n\n")
}

/** Remove and return what was typed for a new chat in a tab that is closed; "" if there is none. */
export async function takeOrphan(user) {
  const isOpen = await otherOpenTabs()
  const start = prefix(user) + NEW
  const key = local.keys(start).find(key => !isOpen(key.slice(start.length)))
  const text = key ? local.get(key) : null
  if (text) local.remove(key)
  return text ?? ""
}
