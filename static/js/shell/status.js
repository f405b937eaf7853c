/** The page's one polite status region. It also holds the sentences for scripts, in the person's language. */
const region = () => document.querySelector("[data-says]")

/** The sentence in the region's data attribute of this name, with its {placeholders} filled in. */
export function sentence(name, values = {}) {
  return (region()?.dataset[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "")
}

/** Announce a text to assistive technology. The same text twice is announced twice. */
export function announce(text) {
  const element = region()
  if (!element || !text) return
  element.textContent = element.textContent === text ? `${text}\u00a0` : text
}
