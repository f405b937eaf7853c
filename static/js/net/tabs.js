/**
 * Which tabs of the browser are open: what was typed in one that is gone belongs to the next one that comes.
 *
 * Each holds a lock with its name, which the browser gives up for it, however it ends. Without locks (plain HTTP from
 * another machine) all others count as gone.
 */
import { tab } from "net/ids"

const name = id => `tab:${id}`
let release

function hold() {
  navigator.locks?.request(name(tab), () => new Promise(resolve => release = resolve))
}

hold()
addEventListener("pagehide", () => release?.())
addEventListener("pageshow", event => event.persisted && hold())

/** A function that says of a tab's name whether another tab with it is open. */
export async function othersOpen() {
  const { held } = await navigator.locks?.query() ?? { held: [] }
  const names = new Set(held.map(lock => lock.name))
  return other => other !== tab && names.has(name(other))
}
