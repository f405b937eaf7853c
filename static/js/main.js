/** Sets up the page. */
import { handleActions } from "chat/actions"
import { Conversation } from "chat/conversation"
import { refuseFiles } from "chat/refuse-files"
import { setUpPrinting } from "chat/print"
import { Outbox } from "net/outbox"
import { OutboxStore } from "net/outbox-store"
import { Socket } from "net/socket"
import { interceptStopForms } from "net/pending-stops"
import { forgetTyped } from "net/storage"
import { ConnectionBar } from "shell/connection-bar"
import "shell/dialogs"
import "shell/local-time"
import { setUpRowMenu } from "shell/menu"
import { setUpNavigation } from "shell/navigation"
import { setUpRename } from "shell/rename"
import "shell/search"
import { refreshIfMissed, setUpSidebar } from "shell/sidebar"
import { sentence } from "shell/status"

const SIGNED_OUT = 4401

const main = document.getElementById("main")
const sidebar = document.getElementById("sidebar")
forgetTyped(main.dataset.user)
const bar = new ConnectionBar(main, away => conversation.showAway(away))
const address = `${main.dataset.socket}?language=${document.documentElement.lang}`
const socket = new Socket(address, {
  event: event => conversation.receive(event),
  state: state => bar.show(state),
  lost: code => conversation.lost(code),
  expecting: () => conversation.expecting,
  probe: () => conversation.subscribe(),
  ended,
})
const conversation = new Conversation(main, socket, new Outbox(socket, new OutboxStore(main.dataset.user)))

handleActions(main, conversation)
interceptStopForms(
  generation => conversation.stopping.markStopping(generation),
  generation => conversation.stopping.failed(generation),
)
refuseFiles(() => conversation.composer.refuse(sentence("files")))
setUpNavigation(main, conversation)
setUpPrinting(() => conversation.subscribe())
setUpSidebar(sidebar)
setUpRename(sidebar)
setUpRowMenu(document.getElementById("row-menu"), refreshIfMissed)
document.querySelector("[data-sign-out]").addEventListener("submit", () => forgetTyped())
socket.connect()
main.dataset.running = ""

function ended(code) {
  bar.hide()
  if (code === SIGNED_OUT) location.assign(`${main.dataset.login}?next=${encodeURIComponent(location.pathname)}`)
  else conversation.composer.refuse(sentence("forbidden"))
}
