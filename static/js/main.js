/** Joins the parts of the page. */
import { handleActions } from "chat/actions"
import { Connection } from "chat/connection"
import { Conversation } from "chat/conversation"
import { forgetDrafts } from "chat/draft"
import "chat/local-time"
import { tab } from "chat/ids"
import { setUpNavigation } from "chat/navigation"
import { Outbox } from "chat/outbox"
import "chat/panel"
import { setUpPrinting } from "chat/print"
import { sentence } from "chat/says"
import "chat/search"
import { setUpSidebar } from "chat/sidebar"
import { Socket } from "chat/socket"
import { interceptStopForms } from "chat/stop"

const SIGNED_OUT = 4401

const main = document.getElementById("main")
const connection = new Connection(main)
const socket = new Socket(`${main.dataset.socket}?tab=${tab}&language=${document.documentElement.lang}`, {
  event: event => conversation.receive(event),
  state: state => connection.show(state),
  expecting: () => conversation.expecting,
  probe: () => conversation.watch(),
  ended,
})
const conversation = new Conversation(main, socket, new Outbox(socket))

handleActions(main, conversation)
interceptStopForms(generation => conversation.markStopping(generation))
setUpNavigation(main, conversation)
setUpPrinting(() => conversation.watch())
setUpSidebar(document.getElementById("sidebar"))
document.querySelector("[data-sign-out]").addEventListener("submit", forgetDrafts)
socket.connect()

function ended(code) {
  connection.hide()
  if (code === SIGNED_OUT) location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
  else conversation.composer.refuse(sentence("forbidden"))
}
