/** One HTTP request of one delivery. Knows nothing of schedules and the store. */
import { Agent, request } from 'undici';
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import { createGuardedAgent } from '../media/guarded-fetch.ts';
import { createAddressPolicy } from '../media/private-address.ts';
import type { ClaimedDelivery } from '../store/store.ts';
import type { Attempt } from './classify-attempt.ts';
import { encodeEnvelope } from './envelope.ts';
import { signatureHeaders } from './signature.ts';

const connectTimeoutMs = 5000;
/** What is read of an answer's body so that the connection can be used again; more closes it. */
const bodyCapBytes = 64 * 1024;

export interface DeliverSettings {
  /** For the whole attempt: connect, request and the head of the answer. */
  readonly timeoutMs: number;
  /** Whether webhooks may lead to private addresses outside `allowCidrs`. */
  readonly allowPrivateAddresses: boolean;
  readonly allowCidrs: readonly string[];
  readonly userAgent: string;
}

export interface Deliverer {
  /** Never rejects. `stop` interrupts the request. */
  attempt(delivery: ClaimedDelivery, stop: AbortSignal): Promise<Attempt>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Sends deliveries over kept-alive connections; redirects are answers like any other and are not followed. */
export function createDeliverer(settings: DeliverSettings, clock: Clock): Deliverer {
  const agent = settings.allowPrivateAddresses
    ? new Agent({
        connect: { timeout: Math.min(connectTimeoutMs, settings.timeoutMs) },
        headersTimeout: settings.timeoutMs,
        bodyTimeout: settings.timeoutMs,
      })
    : createGuardedAgent({
        policy: createAddressPolicy(settings.allowCidrs),
        connectTimeoutMs: Math.min(connectTimeoutMs, settings.timeoutMs),
        headersTimeoutMs: settings.timeoutMs,
        bodyTimeoutMs: settings.timeoutMs,
      });

  const attempt = async (delivery: ClaimedDelivery, stop: AbortSignal): Promise<Attempt> => {
    const startedAt = clock.monotonic();
    const durationMs = (): number => Math.round(clock.monotonic() - startedAt);
    const timeout = AbortSignal.timeout(settings.timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    try {
      const body = encodeEnvelope(delivery.event);
      const answer = await request(delivery.webhook.url, {
        method: 'POST',
        dispatcher: agent,
        signal,
        body,
        headers: {
          'content-type': 'application/json',
          'user-agent': settings.userAgent,
          'x-webhook-attempt': String(delivery.attempts + 1),
          ...signatureHeaders({
            id: delivery.event.id,
            at: clock.now(),
            body,
            secret: delivery.webhook.secret,
          }),
        },
      });
      const ended = durationMs();
      // The status decides; a body that is too long, slow or broken off does not take a success back.
      await answer.body.dump({ limit: bodyCapBytes, signal }).catch(() => undefined);
      const retryAfter = answer.headers['retry-after'];
      return {
        tag: 'answered',
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
        durationMs: ended,
      };
    } catch (error) {
      if (stop.aborted) return { tag: 'interrupted', durationMs: durationMs() };
      const reason = timeout.aborted ? `no answer within ${settings.timeoutMs} ms` : describeFailure(error);
      return { tag: 'failed', error: reason, durationMs: durationMs() };
    }
  };

  return { attempt, close: () => agent.destroy() };
}

const failureSentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the host name does not resolve at the moment',
  EHOSTUNREACH: 'the host cannot be reached',
  UND_ERR_CONNECT_TIMEOUT: 'the connection could not be opened in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'the connection was closed before an answer',
};

function describeFailure(error: unknown): string {
  if (error instanceof WardenError) return error.message;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code === null) return 'the request failed';
  return failureSentences[code] ?? `the request failed with ${code}`;
}
