/** What changes on the page when a conversation was deleted, archived or unarchived from the sidebar. */
import { on } from "shell/events"

on("conversation:deleted", ({ detail }) => {
  if (!location.pathname.includes(detail.conversation)) return
  document.querySelector("#toast [data-undo]").name = "open" // Undo leads back to the conversation that was open
  document.querySelector(".sidebar__new").click()
})

on("conversation:shelved", ({ detail: { conversation, archived } }) => {
  const shown = document.getElementById("conversation")
  if (shown.dataset.conversation === conversation) shown.querySelector("[data-archived]").hidden = !archived
})
