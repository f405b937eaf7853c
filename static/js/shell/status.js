/** The page's one polite status region, which also holds the sentences that scripts use, in the person's language. */
const region = () => document.querySelector("[data-says]")

/** The sentence of that name, with {placeholders} filled in. */
export function sentence(name, values = {}) {
  return (region()?.dataset[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "")
}

/** Let assistive technology hear a text. The same text twice is heard twice. */
export function say(text) {
  const element = region()
  if (!element || !text) return
  element.textContent = element.textContent === text ? `${text}\u00a0` : text
}
