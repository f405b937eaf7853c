/** Stops the running answer, and shows "Stopping…" until the server confirms it. */
import { Stops } from "net/pending-stops"
import { sentence } from "shell/status"

export class Stopping {
  #conversation
  #stops
  // Commands that were withdrawn and may have reached the server.
  #cancelled = []

  constructor(conversation) {
    this.#conversation = conversation
    this.#stops = new Stops(conversation.socket, conversation.outbox)
  }

  /** Whether a stop of this generation or command waits for the server. */
  waitsFor(id) {
    return this.#stops.has(id)
  }

  stop() {
    const { outbox, transcript, unsent } = this.#conversation
    const article = transcript.running
    if (!article || "stopping" in article.dataset) return
    const { generationId: generation, command } = article.dataset
    if (!generation && !outbox.wasSent(command)) return unsent.cancel()
    article.dataset.stopping = ""
    this.#conversation.update()
    if (generation) this.#stops.stop(generation)
    else this.#stops.stopCommand(command)
  }

  // If the command is on its way, this stop follows right behind it. The next connection repeats the stop once.
  stopCancelled(id) {
    this.#conversation.socket.send({ op: "stop", id })
    this.#cancelled.push(id)
  }

  repeatCancelled() {
    for (const id of this.#cancelled.splice(0)) this.#conversation.socket.send({ op: "stop", id })
  }

  /** The command got its generation. Returns whether that is being stopped. */
  began(command, generation) {
    this.#stops.rename(command, generation)
    if (!this.#stops.has(generation)) return false
    this.markStopping(generation)
    return true
  }

  /** The generation is being stopped, here or by somebody else. */
  markStopping(generation) {
    const article = this.#conversation.transcript.byGeneration(generation)
    if (article?.dataset.status === "streaming") article.dataset.stopping = ""
    this.#conversation.update()
  }

  /** A stop form did not reach the server. */
  failed(generation) {
    const { composer, transcript } = this.#conversation
    delete transcript.byGeneration(generation)?.dataset.stopping
    composer.refuse(sentence("stopFailed"))
    this.#conversation.update()
  }

  /** The server answered the stop of this generation or command, or it has become void. */
  answered(id) {
    this.#stops.remove(id)
  }

  /** The stop came too late. Ask for the end if the page does not show it. Event: `standing` (docs/protocol.md). */
  tooLate({ id, generation, reason }) {
    const { outbox, subscription, transcript } = this.#conversation
    this.answered(generation)
    this.answered(id)
    const shown = transcript.byGeneration(generation)?.dataset
    // The answer to the command itself was lost; repeating the command brings it again.
    if (outbox.has(id)) outbox.repeat(id)
    else if (shown?.status === "streaming") subscription.subscribe()
    // The note of an answer that ended with the network's loss mentions this stop from now on.
    else if (shown && reason === "connection_lost") subscription.subscribe({ ...shown, status: "streaming" })
  }

  /** `id`: the command that should have been stopped, if the stop named one; it is not what was refused. */
  refused(id, code, reason) {
    const { composer, outbox, transcript, unsent } = this.#conversation
    // Without an id, the refusal does not say which generation it is about: none of them is repeated.
    if (id) this.answered(id)
    else this.#stops.removeAll()
    // The server does not know the command that the page waits for, so no answer will come.
    if (id && code === "not_found" && outbox.has(id)) return unsent.giveBack(outbox.remove(id), reason)
    const running = transcript.running?.dataset
    if (running) delete running.stopping
    if (running || code !== "not_found") composer.refuse(reason)
  }
}
