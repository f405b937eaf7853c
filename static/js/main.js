/** Joins the parts of the page. */
import { handleActions } from "chat/actions"
import { Connection } from "net/connection"
import { Conversation } from "chat/conversation"
import { refuseFiles } from "chat/files"
import "shell/local-time"
import { Letters } from "net/outbox-store"
import { setUpNavigation } from "shell/navigation"
import { Outbox } from "net/outbox"
import "shell/dialogs"
import { setUpPrinting } from "chat/print"
import { sentence } from "shell/status"
import "shell/search"
import { setUpSidebar } from "shell/sidebar"
import { Socket } from "net/socket"
import { interceptStopForms } from "net/stop"
import { forgetTyped } from "net/storage"

const SIGNED_OUT = 4401

const main = document.getElementById("main")
forgetTyped(main.dataset.user)
const connection = new Connection(main, away => conversation.showAway(away))
const address = `${main.dataset.socket}?language=${document.documentElement.lang}`
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
