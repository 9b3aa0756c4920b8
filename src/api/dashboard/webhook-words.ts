/** How a webhook and its deliveries do, in words and in one of the tones. Pure. */
import type { Result } from '../../contract/index.ts';
import type { Tone } from './session-tone.ts';

type Webhook = Pick<Result<'getWebhook'>, 'enabled' | 'disabled_reason' | 'health'>;
export type Delivery = Result<'listDeliveries'>['deliveries'][number];

interface Words {
  readonly tone: Tone;
  readonly words: string;
}

export function wordsOfHealth({ enabled, disabled_reason: reason, health }: Webhook): Words {
  if (!enabled) {
    return reason === null
      ? { tone: 'none', words: 'Switched off' }
      : { tone: 'bad', words: 'Disabled by the gateway' };
  }
  if (health.state === 'open') return { tone: 'bad', words: 'Receiver is down' };
  if (health.state === 'half_open') return { tone: 'warn', words: 'Trying whether it is back' };
  if (health.failing_since !== null) return { tone: 'warn', words: 'Failing' };
  return health.last_success_at === null
    ? { tone: 'none', words: 'Nothing delivered yet' }
    : { tone: 'good', words: 'Delivering' };
}

export const wordsOfDelivery = {
  pending: { tone: 'info', words: 'Waiting' },
  delivered: { tone: 'good', words: 'Delivered' },
  dead: { tone: 'bad', words: 'Given up' },
  held: { tone: 'none', words: 'Held' },
} as const satisfies Record<Delivery['status'], Words>;

/** What became of the latest attempt: `answered 200`, or why it failed. */
export function outcomeOf({ attempts, status }: Pick<Delivery, 'attempts' | 'status'>): string {
  const last = attempts.at(-1);
  if (last === undefined) return status === 'pending' ? 'not tried yet' : 'no attempt is kept';
  if (last.error !== null) return last.error;
  return last.http_status === null ? 'no answer' : `answered ${last.http_status}`;
}
