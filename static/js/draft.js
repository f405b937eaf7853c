/** What was typed and not sent, per person and conversation, over reloads. */
export class Draft {
  #key

  constructor(user, conversation) {
    this.#key = `draft:${user}:${conversation || "new"}`
  }

  get text() {
    return attempt(() => localStorage.getItem(this.#key)) ?? ""
  }

  set text(text) {
    attempt(() => text.trim() ? localStorage.setItem(this.#key, text) : localStorage.removeItem(this.#key))
  }
}

/** On signing out nothing that was typed stays behind. */
export function forgetDrafts() {
  attempt(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith("draft:")) localStorage.removeItem(key)
  })
}

// Storage may be full, or forbidden by the browser's settings; a draft is not worth an error.
function attempt(access) {
  try {
    return access()
  } catch {
    return null
  }
}
