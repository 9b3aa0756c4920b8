/** What pacing says about the sends of sessions; without a governor nothing is held back. */
import type { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';
import type { AcceptedSend } from '../store/store.ts';
import type { Governors } from './governors.ts';
import type { Hold } from './pacing-policy.ts';

export class SendPacing {
  readonly #governors: Pick<Governors, 'ofId'> | null;
  readonly #log: Logger;

  constructor(governors: Pick<Governors, 'ofId'> | null, log: Logger) {
    this.#governors = governors;
    this.#log = log;
  }

  /** What there is against a message now; waits up to `patienceMs` for nothing to be. */
  async pass(accepted: AcceptedSend, patienceMs: number): Promise<Hold | null> {
    return (await (await this.#of(accepted))?.pass(accepted, patienceMs)) ?? null;
  }

  /** The same for the first message of its chat that waits; its pace is waited for. */
  async passFirst(accepted: AcceptedSend): Promise<Hold | null> {
    return (await (await this.#of(accepted))?.passFirst(accepted)) ?? null;
  }

  /** What a message is held by; null for one that is not held. */
  async holdOf(accepted: AcceptedSend): Promise<Hold | null> {
    return (await this.#of(accepted))?.holdOf(accepted.id) ?? null;
  }

  /** Forgets holds of before `listedAt` (monotonic) whose messages did not wait any more then. */
  async retain(session: AcceptedSend['session'], waiting: readonly AcceptedSend[], listedAt: number): Promise<void> {
    (await this.#governors?.ofId(session))?.retain(waiting, listedAt);
  }

  /** A message was refused, or could not be sent; never rejects. */
  async failed(accepted: AcceptedSend, error: WardenError): Promise<void> {
    try {
      await (await this.#of(accepted))?.failed(accepted, error);
    } catch (failure) {
      this.#log.warn({ err: failure, session: accepted.session }, 'what follows from a refusal was not stored');
    }
  }

  /** A message is over, however. */
  async settled(accepted: AcceptedSend): Promise<void> {
    (await this.#of(accepted))?.settled(accepted.id);
  }

  async #of({ session }: AcceptedSend) {
    return (await this.#governors?.ofId(session)) ?? null;
  }
}
