/** Loaded before each test file: resolves the import map's names (`net/ids`) and defines the browser's globals. */
import { setMaxListeners } from "node:events"
import { registerHooks } from "node:module"

const SCRIPTS = new URL("../../static/js/", import.meta.url)
const NAME = /^(chat|net|shell)\/[\w-]+$/

registerHooks({
  resolve(name, context, next) {
    if (NAME.test(name)) return { url: new URL(`${name}.js`, SCRIPTS).href, format: "module", shortCircuit: true }
    return next(name, context)
  },
})

class MemoryStorage {
  getItem(key) {
    return Object.hasOwn(this, key) ? this[key] : null
  }

  setItem(key, text) {
    this[key] = String(text)
  }

  removeItem(key) {
    delete this[key]
  }
}

const page = new EventTarget()
const defined = {
  localStorage: new MemoryStorage(),
  sessionStorage: new MemoryStorage(),
  location: { href: "http://chat.example/" },
  document: Object.assign(new EventTarget(), { hidden: false }),
  addEventListener: page.addEventListener.bind(page),
  dispatchEvent: page.dispatchEvent.bind(page),
  navigator: {
    locks: {
      held: [],
      request: (name, hold) => hold() && undefined,
      query: async () => ({ held: navigator.locks.held.map(name => ({ name })) }),
    },
  },
}
setMaxListeners(0, page, defined.document)
for (const [name, value] of Object.entries(defined)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
