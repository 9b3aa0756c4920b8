/** Asks WhatsApp for a sign of life over links that have been silent beyond their habit. */
import type { Clock } from '../clock.ts';
import { toWardenError } from '../contract/errors.ts';
import { listen, provedWell, shouldProbe } from './deafness.ts';
import type { LiveSession } from './live-session.ts';
import type { DeafPolicy } from './settings.ts';

interface DeafOptions {
  readonly policy: DeafPolicy;
  /** How long WhatsApp may take to answer. */
  readonly queryTimeoutMs: number;
  readonly clock: Clock;
  /** It was asked and nothing came back. */
  readonly onDeaf: (session: LiveSession) => void;
}

const marginMs = 5000;

export class DeafWatch {
  readonly #options: DeafOptions;
  readonly #probing = new Set<LiveSession>();

  constructor(options: DeafOptions) {
    this.#options = options;
  }

  /** A heartbeat has told what the session's link has received and told since it was made. */
  heard(session: LiveSession, { stanzas, events }: { readonly stanzas: number; readonly events: number }): void {
    const { clock, policy } = this.#options;
    const now = clock.monotonic();
    session.worked(stanzas, events);
    session.hearing = listen(session.hearing, { events, frames: stanzas, now });
    if (!session.isConnected || session.isLeaving || this.#probing.has(session)) return;
    if (shouldProbe(session.hearing, now, policy)) void this.#probe(session);
  }

  /** Never rejects. */
  async #probe(session: LiveSession): Promise<void> {
    const { queryTimeoutMs, clock, onDeaf } = this.#options;
    const channel = session.host?.child.channel ?? null;
    if (channel === null) return;
    this.#probing.add(session);
    const isDeaf = await channel
      .request('probe', { session: session.id }, { deadlineMs: queryTimeoutMs + marginMs })
      // Whatever else comes back shows that the way is open, or that another part of the supervision is at work.
      .then(
        () => false,
        (error: unknown) => toWardenError(error).code === 'whatsapp_timeout',
      );
    this.#probing.delete(session);
    session.hearing = provedWell(session.hearing, clock.monotonic());
    if (isDeaf && session.isConnected && !session.isLeaving) onDeaf(session);
  }
}
