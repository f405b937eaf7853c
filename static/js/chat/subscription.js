/** Tells the server what the page shows (`watch` in docs/protocol.md); it answers with what the page lacks. */
export class Subscription {
  #conversation
  #restartedFor = null

  constructor(conversation) {
    this.#conversation = conversation
  }

  /** The message that the branch ends in as far as the page knows, shown or not, and its status. */
  get end() {
    const { root, transcript } = this.#conversation
    const { head: messageId, headStatus: status } = root.dataset
    return transcript.partial ? { messageId, status } : transcript.last?.dataset ?? {}
  }

  /** Subscribe, or get a new snapshot. `end`: what the page claims to show last; {} to get everything. */
  subscribe({ messageId: head, status } = this.end) {
    const { root, id, socket } = this.#conversation
    const { page = null, branch = null } = root.dataset
    const shown = { head: head ?? null, status: status ?? null, page: page || null, branch }
    socket.send({ op: "watch", conversation: id, ...shown })
  }

  /** The server refers to something that the page lacks: get everything. Once for each reason, or it could go on forever. */
  restart(reason) {
    if (this.#restartedFor === reason) return
    this.#restartedFor = reason
    this.subscribe({})
  }

  /** A new connection. */
  reset() {
    this.#restartedFor = null
  }
}
