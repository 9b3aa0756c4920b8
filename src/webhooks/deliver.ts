/** One HTTP request of one delivery. Knows nothing of schedules and the store. */
import { Agent, request } from 'undici';
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import { createGuardedAgent } from '../media/guarded-fetch.ts';
import { createAddressPolicy } from '../media/private-address.ts';
import { currentOrigin } from '../request-scope.ts';
import type { ClaimedDelivery } from '../store/webhook-records.ts';
import type { Attempt } from './classify-attempt.ts';
import { encodeEnvelope } from './envelope.ts';
import { readExcerpt } from './read-excerpt.ts';
import { signatureHeaders } from './signature.ts';

const connectTimeoutMs = 5000;
/** What is read of an answer's body so that the connection can be used again; more closes it. */
const bodyCapBytes = 64 * 1024;
const excerptBytes = 1024;
/** The status has decided by then; a body that trickles keeps the delivery from being settled for no longer. */
const bodyPatienceMs = 5000;

export interface DeliverSettings {
  /** For the whole attempt: connect, request and the head of the answer. */
  readonly timeoutMs: number;
  /** The private networks that also those webhooks may reach which may not reach all. */
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
  const timeouts = {
    connectTimeoutMs: Math.min(connectTimeoutMs, settings.timeoutMs),
    headersTimeoutMs: settings.timeoutMs,
    bodyTimeoutMs: settings.timeoutMs,
  };
  const open = new Agent({
    connect: { timeout: timeouts.connectTimeoutMs },
    headersTimeout: timeouts.headersTimeoutMs,
    bodyTimeout: timeouts.bodyTimeoutMs,
  });
  const guarded = createGuardedAgent({ policy: createAddressPolicy(settings.allowCidrs), ...timeouts });

  const attempt = async (delivery: ClaimedDelivery, stop: AbortSignal): Promise<Attempt> => {
    const startedAt = clock.monotonic();
    const durationMs = (): number => Math.round(clock.monotonic() - startedAt);
    const timeout = AbortSignal.timeout(settings.timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    try {
      const body = encodeEnvelope(delivery.event);
      const answer = await request(delivery.webhook.url, {
        method: 'POST',
        dispatcher: delivery.webhook.allowPrivate ? open : guarded,
        signal,
        body,
        headers: {
          'content-type': 'application/json',
          'user-agent': settings.userAgent,
          'x-webhook-attempt': String(delivery.attempts + 1),
          ...traceHeaders(),
          ...signatureHeaders({
            id: delivery.event.id,
            at: clock.now(),
            body,
            secret: delivery.webhook.secret,
            previousSecret: delivery.webhook.previousSecret,
          }),
        },
      });
      const ended = durationMs();
      const excerpt = await readExcerpt(answer.body, {
        capBytes: bodyCapBytes,
        excerptBytes,
        signal: AbortSignal.any([signal, AbortSignal.timeout(bodyPatienceMs)]),
      });
      const retryAfter = answer.headers['retry-after'];
      return {
        tag: 'answered',
        status: answer.statusCode,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
        isAborted: answer.headers['webhook-delivery'] === 'abort-message',
        excerpt,
        durationMs: ended,
      };
    } catch (error) {
      if (stop.aborted) return { tag: 'interrupted', durationMs: durationMs() };
      const reason = timeout.aborted ? `no answer within ${settings.timeoutMs} ms` : describeFailure(error);
      return { tag: 'failed', error: reason, durationMs: durationMs() };
    }
  };

  return { attempt, close: () => Promise.all([open.destroy(), guarded.destroy()]).then(() => undefined) };
}

/** Lets a receiver that traces go on with our trace. */
function traceHeaders(): Readonly<Record<string, string>> {
  const { traceparent } = currentOrigin();
  return traceparent === null ? {} : { traceparent };
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
