/**
 * The order of a session's messages within each chat. Messages of one chat take turns, each from being handed over until
 * it is acknowledged or has failed. A chat in which one could do neither is held: what is accepted for it later joins
 * those that wait in the store, behind the one that holds it. Knows nothing of how messages are sent.
 */
export class ChatOrder<Waiting> {
  readonly #turns = new Map<string, Promise<unknown>>();
  #held = new Set<string>();
  /** Chats that are held since the present look at the store began, which may have missed them. */
  #heldMeanwhile = new Set<string>();
  #look: Promise<Waiting> | null = null;
  #nextLook: Promise<Waiting> | null = null;

  /** Runs `work` when everything that took its turn in this chat before has ended. */
  inTurn<Value>(chat: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#turns.get(chat) ?? Promise.resolve();
    const turn = before.then(work);
    const ended = settled(turn);
    this.#turns.set(chat, ended);
    void ended.then(() => {
      if (this.#turns.get(chat) === ended) this.#turns.delete(chat);
    });
    return turn;
  }

  hold(chat: string): void {
    this.#held.add(chat);
    this.#heldMeanwhile.add(chat);
  }

  /**
   * Looks what waits in the store: its chats are held from then on, and no others. One look at a time, so that an older
   * one never undoes what a newer one has found; whoever asks meanwhile shares the next.
   */
  look(read: () => Promise<Waiting>, chatsOf: (waiting: Waiting) => Iterable<string>): Promise<Waiting> {
    if (this.#nextLook !== null) return this.#nextLook;
    if (this.#look === null) return this.#begin(read, chatsOf);
    this.#nextLook = settled(this.#look).then(() => {
      this.#nextLook = null;
      return this.#begin(read, chatsOf);
    });
    return this.#nextLook;
  }

  /** While what waits is being read, no chat can be said to be free. */
  async isHeld(chat: string): Promise<boolean> {
    const look = this.#nextLook ?? this.#look;
    if (look !== null) await settled(look);
    return this.#held.has(chat);
  }

  #begin(read: () => Promise<Waiting>, chatsOf: (waiting: Waiting) => Iterable<string>): Promise<Waiting> {
    this.#heldMeanwhile = new Set();
    const look = read().then((waiting) => {
      this.#held = new Set([...chatsOf(waiting), ...this.#heldMeanwhile]);
      return waiting;
    });
    this.#look = look;
    void settled(look).then(() => {
      if (this.#look === look) this.#look = null;
    });
    return look;
  }
}

const settled = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  );
