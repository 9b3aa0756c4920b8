/**
 * WhatsApp's own acknowledgements of messages: `<ack class="message" id error?>`. The promise of a send resolves when
 * the frame has been handed to the socket, which says nothing.
 */

export type Ack =
  | { readonly tag: 'acked'; readonly at: number }
  | { readonly tag: 'refused'; readonly code: string; readonly at: number }
  | { readonly tag: 'silent' };

export class Acks {
  readonly #waiting = new Map<string, (ack: Ack) => void>();

  /** Waits for the ack of one message; `silent` after the deadline or when `giveUp` is called. */
  wait(messageId: string, deadlineMs: number): Promise<Ack> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(messageId, { tag: 'silent' }), deadlineMs);
      this.#waiting.set(messageId, (ack) => {
        clearTimeout(timer);
        resolve(ack);
      });
    });
  }

  /** Tells what arrived; false when nobody waits for it any more. */
  arrived(messageId: string, ack: Ack): boolean {
    return this.#settle(messageId, ack);
  }

  /** The connection has ended: what is not acked by now will not be. */
  giveUp(): void {
    for (const id of this.#waiting.keys()) this.#settle(id, { tag: 'silent' });
  }

  #settle(messageId: string, ack: Ack): boolean {
    const settle = this.#waiting.get(messageId);
    this.#waiting.delete(messageId);
    settle?.(ack);
    return settle !== undefined;
  }
}
