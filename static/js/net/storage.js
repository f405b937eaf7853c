/** What the browser keeps of what was typed. It may be full or forbidden: nothing of it is worth an error. */
const TYPED = ["draft:", "letter:"]

export const kept = {
  get: key => attempt(() => localStorage.getItem(key)),
  set: (key, text) => attempt(() => localStorage.setItem(key, text)),
  remove: key => attempt(() => localStorage.removeItem(key)),
  keys: prefix => attempt(() => Object.keys(localStorage).filter(key => key.startsWith(prefix))) ?? [],
}

/** Forget what was typed here, on signing out; with `user`, only what others typed: the next person finds nothing. */
export function forgetTyped(user = null) {
  for (const kind of TYPED) {
    for (const key of kept.keys(kind)) if (user === null || !key.startsWith(`${kind}${user}:`)) kept.remove(key)
  }
}

function attempt(access) {
  try {
    return access()
  } catch {
    return null
  }
}
