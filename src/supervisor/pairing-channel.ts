import { WardenError } from '../contract/errors.ts';
import type { ChildChannel } from './child-environment.ts';
import type { LiveSession } from './live-session.ts';
import { waitUntil } from './wait-until.ts';

export interface PairCodeRequest {
  readonly phone: string;
  readonly customCode: string | null;
  readonly showPushNotification: boolean;
}

const pairingWaitMs = 20_000;

/** The channel of a session as soon as it waits to be paired. Throws `already_paired`, and `whatsapp_timeout` after a while. */
export async function pairingChannel(
  session: LiveSession,
  { listen, signal }: { readonly listen: (listener: () => void) => () => void; readonly signal: AbortSignal },
): Promise<ChildChannel> {
  const channel = await waitUntil({
    listen,
    until: () => {
      if (session.link.isPaired) throw new WardenError('already_paired');
      const { state } = session.link;
      const isWaiting = session.isTold && (state === 'waiting_for_qr' || state === 'waiting_for_pair_code');
      return isWaiting ? (session.host?.child.channel ?? null) : null;
    },
    timeoutMs: pairingWaitMs,
    signal,
  });
  if (channel === null) throw new WardenError('whatsapp_timeout');
  return channel;
}
