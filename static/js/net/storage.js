/** The browser's storage. It may be full or forbidden: then reads return null and writes do nothing. */
const TYPED = ["draft:", "letter:"]

/** Shared by all tabs, and kept when they close. */
export const local = safely(() => localStorage)

/** Of this tab; survives a reload. */
export const session = safely(() => sessionStorage)

/** Delete what was typed here and not sent: everything on sign-out; with `user`, only what other people typed. */
export function forgetTyped(user = null) {
  for (const kind of TYPED) {
    for (const key of local.keys(kind)) if (user === null || !key.startsWith(`${kind}${user}:`)) local.remove(key)
  }
}

function safely(storage) {
  return {
    get: key => attempt(() => storage().getItem(key)),
    set: (key, text) => attempt(() => storage().setItem(key, text)),
    remove: key => attempt(() => storage().removeItem(key)),
    keys: prefix => attempt(() => Object.keys(storage()).filter(key => key.startsWith(prefix))) ?? [],
  }
}

function attempt(access) {
  try {
    return access()
  } catch {
    return null
  }
}
