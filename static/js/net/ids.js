/** A random UUID. `crypto.randomUUID` is missing where a page comes over plain HTTP from another machine. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

/** This tab's ID, which survives a reload. What was typed but not sent is kept under it. */
export const tab = nameOfTab()

function nameOfTab() {
  try {
    return sessionStorage.tab ??= newId()
  } catch {
    return newId()
  }
}
