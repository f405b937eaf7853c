/** Listen to the events of htmx, and to those that the server triggers through it. */
export const on = (name, handle) => document.body.addEventListener(name, handle)
