/** Joins the parts of the page. */
import { handleActions } from "chat/actions"
import { Connection } from "chat/connection"
import { Conversation } from "chat/conversation"
import { refuseFiles } from "chat/files"
import "chat/local-time"
import { tab } from "chat/ids"
import { Letters } from "chat/letters"
import { setUpNavigation } from "chat/navigation"
import { Outbox } from "chat/outbox"
import "chat/panel"
import { setUpPrinting } from "chat/print"
import { sentence } from "chat/says"
import "chat/search"
import { setUpSidebar } from "chat/sidebar"
import { Socket } from "chat/socket"
import { interceptStopForms } from "chat/stop"
import { forgetTyped } from "chat/storage"

const SIGNED_OUT = 4401

const main = document.getElementById("main")
forgetTyped(main.dataset.user)
const connection = new Connection(main, away => conversation.showAway(away))
const address = `${main.dataset.socket}?tab=${tab}&language=${document.documentElement.lang}`
const socket = new Socket(address, {
  event: event => conversation.receive(event),
  state: state => connection.show(state),
  lost: code => conversation.lost(code),
  expecting: () => conversation.expecting,
  probe: () => conversation.watch(),
  ended,
})
const conversation = new Conversation(main, socket, new Outbox(socket, new Letters(main.dataset.user)))

handleActions(main, conversation)
interceptStopForms(
  generation => conversation.markStopping(generation),
  generation => conversation.stopFailed(generation),
)
refuseFiles(() => conversation.composer.refuse(sentence("files")))
setUpNavigation(main, conversation)
setUpPrinting(() => conversation.watch())
setUpSidebar(document.getElementById("sidebar"))
document.querySelector("[data-sign-out]").addEventListener("submit", () => forgetTyped())
socket.connect()
main.dataset.running = ""

function ended(code) {
  connection.hide()
  if (code === SIGNED_OUT) location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
  else conversation.composer.refuse(sentence("forbidden"))
}
