/** Hear what htmx and the server's answers tell the page. */
export const on = (name, handle) => document.body.addEventListener(name, handle)
