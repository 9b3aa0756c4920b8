/**
 * The order of a session's messages within each chat. Messages of one chat take turns, each from being handed over until
 * it is acknowledged or has failed. A chat in which one could do neither is held: what is accepted for it later joins
 * those that wait in the store, behind the one that holds it. Knows nothing of how messages are sent.
 */
export class ChatOrder {
  readonly #turns = new Map<string, Promise<unknown>>();
  #held: ReadonlySet<string> = new Set();
  #reading: Promise<unknown> | null = null;

  /** Runs `work` when everything that took its turn in this chat before has ended. */
  inTurn<Value>(chat: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#turns.get(chat) ?? Promise.resolve();
    const turn = before.then(work);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(chat, ended);
    void ended.then(() => {
      if (this.#turns.get(chat) === ended) this.#turns.delete(chat);
    });
    return turn;
  }

  hold(chat: string): void {
    this.#held = new Set([...this.#held, chat]);
  }

  /** What waits is being read from the store; until it is known, no chat can be said to be free. */
  async whileReading<Value>(read: Promise<Value>): Promise<Value> {
    const settled = read.then(
      () => undefined,
      () => undefined,
    );
    this.#reading = settled;
    try {
      return await read;
    } finally {
      if (this.#reading === settled) this.#reading = null;
    }
  }

  /** These chats are held from now on, and no others. */
  holdOnly(chats: Iterable<string>): void {
    this.#held = new Set(chats);
  }

  async isHeld(chat: string): Promise<boolean> {
    while (this.#reading !== null) await this.#reading;
    return this.#held.has(chat);
  }
}
