/** Hands one accepted message to its session's child, and writes down the failures that are final. */
import type { Clock } from '../clock.ts';
import { WardenError, toWardenError } from '../contract/errors.ts';
import type { SendAnswer } from '../contract/ipc.ts';
import type { AcceptedSend, Store } from '../store/store.ts';
import type { LiveSession } from './live-session.ts';
import { isDefinite, type Attempt } from './send-attempt.ts';
import type { SendPacing } from './send-pacing.ts';

export interface HandOverOptions {
  readonly store: Pick<Store, 'messages'>;
  /** How long a child may take for one send: WhatsApp's ack and the way there. */
  readonly deadlineMs: number;
  /** How much longer when there is a file to be uploaded first. */
  readonly uploadMs: number;
  /** The message is sent or has failed: what was kept to send it is of no use any more. */
  readonly onFinal: (accepted: AcceptedSend) => void;
  readonly clock: Clock;
}

interface HandOverParts {
  readonly pacing: SendPacing;
  /** A failure could not be written down: the message waits, and will be tried again. */
  readonly onUnstored: (session: LiveSession, accepted: AcceptedSend) => void;
}

const expiredCode = 'expired';
const expiredReason = 'WhatsApp did not acknowledge the message in the time it had.';

export class HandOver {
  readonly #options: HandOverOptions;
  readonly #parts: HandOverParts;

  constructor(options: HandOverOptions, parts: HandOverParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** One attempt; a failure that is final has been written down. Throws when that was not possible. */
  async attempt(session: LiveSession, accepted: AcceptedSend): Promise<Attempt> {
    try {
      const answer = await this.#hand(session, accepted);
      return { tag: answer.status, answer };
    } catch (thrown) {
      const error = toWardenError(thrown);
      if (!isDefinite(error)) return { tag: 'waiting', error };
      await this.failLastingly(session, accepted, error);
      return { tag: 'failed', error };
    }
  }

  async #hand(session: LiveSession, accepted: AcceptedSend): Promise<SendAnswer> {
    const channel = session.host?.child.channel ?? null;
    if (channel === null || !session.isConnected) throw new WardenError('session_not_connected');
    const { id, operation, params, expiresAt, media } = accepted;
    session.sending.add(id);
    try {
      const answer = await channel.request(
        'send',
        { session: session.id, name: operation, params, messageId: id, expiresAt, media },
        { deadlineMs: this.deadlineOf(accepted) },
      );
      if (answer.status === 'sent') this.#options.onFinal(accepted);
      return answer;
    } catch (thrown) {
      await this.#parts.pacing.failed(accepted, toWardenError(thrown));
      throw thrown;
    } finally {
      session.sending.delete(id);
    }
  }

  /** Null for a message whose time is over. As long as the failure is not in the store the message waits. */
  async failLastingly(session: LiveSession, accepted: AcceptedSend, error: WardenError | null): Promise<void> {
    await this.fail(accepted, error).catch((thrown: unknown) => {
      this.#parts.onUnstored(session, accepted);
      throw thrown;
    });
  }

  /** The message has failed for good, and its session's webhooks are told; null for one whose time is over. */
  async fail(accepted: AcceptedSend, error: WardenError | null): Promise<void> {
    const hold = error === null ? await this.#parts.pacing.holdOf(accepted) : null;
    const code = error?.code ?? (hold === null ? expiredCode : 'pacing_limit');
    const reason = error?.message ?? hold?.reason ?? expiredReason;
    await this.#options.store.messages.fail(accepted.session, accepted.id, {
      at: this.#options.clock.now(),
      errorCode: code,
      event: { name: 'message_failed', data: { message_id: accepted.id, chat: accepted.chat, code, reason } },
    });
    await this.#parts.pacing.settled(accepted);
    this.#options.onFinal(accepted);
  }

  /** How long the child may take, in milliseconds. */
  deadlineOf({ media }: AcceptedSend): number {
    const { deadlineMs, uploadMs } = this.#options;
    return media?.source.tag === 'file' ? deadlineMs + uploadMs : deadlineMs;
  }
}
