/**
 * Messages that could not be decrypted. Their senders are asked again by the library; what comes again under the same id
 * is told as a message like any other, and only what stays silent is told as undecryptable.
 */
const patienceMs = 2 * 60_000;
const maxHeld = 1_000;

interface Held {
  readonly timer: NodeJS.Timeout;
}

export class Undecryptable {
  readonly #held = new Map<string, Held>();
  readonly #tell: (messageId: string) => void;

  /** `tell` gets the id of a message that did not come again in time. */
  constructor(tell: (messageId: string) => void) {
    this.#tell = tell;
  }

  hold(messageId: string): void {
    if (this.#held.has(messageId) || this.#held.size >= maxHeld) return;
    const timer = setTimeout(() => {
      this.#held.delete(messageId);
      this.#tell(messageId);
    }, patienceMs);
    this.#held.set(messageId, { timer });
  }

  /** The message has come after all. */
  resolve(messageId: string): void {
    clearTimeout(this.#held.get(messageId)?.timer);
    this.#held.delete(messageId);
  }

  close(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }
}
