/**
 * Which tabs of this browser are open. What was typed in a closed one goes to the next one that opens.
 *
 * Each tab holds a lock with its id, which the browser releases however the tab ends. Where there are no locks (plain
 * HTTP from another machine), all other tabs count as closed.
 */
import { newId } from "net/ids"
import { session } from "net/storage"

/** The id of this tab; it survives a reload. */
export const tab = session.get("tab") ?? newId()
session.set("tab", tab)

const lockName = id => `tab:${id}`
let release

function hold() {
  navigator.locks?.request(lockName(tab), () => new Promise(resolve => release = resolve))
}

hold()
addEventListener("pagehide", () => release?.())
addEventListener("pageshow", event => event.persisted && hold())

/** Returns a function that says whether the tab with an id is open and is not this one. */
export async function otherOpenTabs() {
  const { held } = await navigator.locks?.query() ?? { held: [] }
  const names = new Set(held.map(lock => lock.name))
  return id => id !== tab && names.has(lockName(id))
}
