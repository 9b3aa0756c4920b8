/**
 * Messages that could not be decrypted. Their senders are asked again by the library; what comes again under the same id
 * is told as a message like any other, and only what stays silent is told as undecryptable.
 */
const maxHeld = 1_000;

interface UndecryptableOptions {
  readonly patienceMs: number;
  /** Gets the id of a message that did not come again in time. */
  readonly tell: (messageId: string) => void;
}

export class Undecryptable {
  readonly #held = new Map<string, NodeJS.Timeout>();
  readonly #options: UndecryptableOptions;

  constructor(options: UndecryptableOptions) {
    this.#options = options;
  }

  /** False for a message that is held already, and when there are too many. */
  mayHold(messageId: string): boolean {
    return !this.#held.has(messageId) && this.#held.size < maxHeld;
  }

  /** False when the message is not held. */
  hold(messageId: string): boolean {
    if (!this.mayHold(messageId)) return false;
    const timer = setTimeout(() => {
      this.#held.delete(messageId);
      this.#options.tell(messageId);
    }, this.#options.patienceMs);
    this.#held.set(messageId, timer);
    return true;
  }

  /** The message has come after all. */
  resolve(messageId: string): void {
    clearTimeout(this.#held.get(messageId));
    this.#held.delete(messageId);
  }

  close(): void {
    for (const timer of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}
