/** What was typed and not sent, per person and conversation, over reloads; of new chats, also per tab. */
import { tab } from "net/ids"
import { kept } from "net/storage"
import { othersOpen } from "net/tabs"

const NEW = "new:"
const prefix = user => `draft:${user}:`

export class Draft {
  #key

  constructor(user, conversation) {
    this.#key = prefix(user) + (conversation || NEW + tab)
  }

  get text() {
    return kept.get(this.#key) ?? ""
  }

  set text(text) {
    if (text.trim()) kept.set(this.#key, text)
    else kept.remove(this.#key)
  }

  /** Put a text before what is there. */
  give(text) {
    this.text = joined(text, this.text)
  }
}

/** Two texts that both were typed. */
export function joined(first, second) {
  return [first, second].filter(text => text.trim()).join("\n\n")
}

/** Take what was typed for a new chat in a tab that has been closed since; "" if there is nothing. */
export async function orphan(user) {
  const open = await othersOpen()
  const key = kept.keys(prefix(user) + NEW).find(key => !open(key.slice(prefix(user).length + NEW.length)))
  const text = key ? kept.get(key) : null
  if (text) kept.remove(key)
  return text ?? ""
}
