/** Fetches media from addresses that users name: guarded, bounded in size and time, redirects checked one by one. */
import { errors, request, type Dispatcher } from 'undici';
import { WardenError } from '../contract/errors.ts';
import { urlObjection } from './guarded-fetch.ts';
import { essenceOf, safeFileName } from './media-kinds.ts';
import type { AddressPolicy } from './private-address.ts';
import { tooLarge } from './spool-sink.ts';

export interface FetchSettings {
  /** A guarded agent, see guarded-fetch.ts. */
  readonly agent: Dispatcher;
  readonly policy: AddressPolicy;
  readonly userAgent: string;
}

export interface FetchedMedia {
  /** Throws `media_unreachable` when the answer ends early or takes too long. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What the server calls it; null when it says nothing of use. */
  readonly declaredType: string | null;
  readonly fileName: string | null;
}

interface FetchOrder {
  readonly url: string;
  readonly capBytes: number;
  /** Ends the whole, redirects and body included. */
  readonly signal: AbortSignal;
}

const mostRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);
const meaningless = new Set(['application/octet-stream', 'binary/octet-stream', 'text/plain']);

/**
 * Throws `invalid_request` for a URL that may not be fetched, `media_too_large` when the server announces more than the
 * cap, and `media_unreachable` for everything that goes wrong on the way.
 */
export async function fetchMedia(settings: FetchSettings, order: FetchOrder): Promise<FetchedMedia> {
  let { url } = order;
  for (let hop = 0; ; hop++) {
    const objection = urlObjection(url, settings.policy);
    if (objection !== null) throw hop === 0 ? refusedUrl(objection) : unreachable(objection, 'a redirect elsewhere');
    const answer = await ask(settings, url, order.signal);
    const { location } = answer.headers;
    if (!redirects.has(answer.statusCode) || typeof location !== 'string') return take(answer, url, order);
    answer.body.on('error', () => undefined).destroy();
    if (hop === mostRedirects) throw unreachable(`at most ${mostRedirects} redirects`, 'one more');
    const next = URL.parse(location, url);
    if (next === null) throw unreachable('a redirect to a URL', 'something else');
    url = next.href;
  }
}

async function ask(
  { agent, userAgent }: FetchSettings,
  url: string,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  try {
    return await request(url, {
      dispatcher: agent,
      signal,
      headers: { 'user-agent': userAgent, accept: '*/*', 'accept-encoding': 'identity' },
    });
  } catch (error) {
    throw broken(error, signal);
  }
}

function take(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: string,
  { capBytes, signal }: FetchOrder,
): FetchedMedia {
  const refuse = (error: WardenError): never => {
    body.on('error', () => undefined).destroy();
    throw error;
  };
  if (statusCode !== 200) refuse(unreachable('status 200', String(statusCode)));
  const encoding = String(headers['content-encoding'] ?? 'identity');
  if (encoding !== 'identity') refuse(unreachable('content without an encoding', encoding));
  if (Number(headers['content-length'] ?? 0) > capBytes) refuse(tooLarge(capBytes));
  const type = essenceOf(String(headers['content-type'] ?? ''));
  return {
    body: readable(body, signal),
    declaredType: type === '' || meaningless.has(type) ? null : type,
    fileName: safeFileName(decoded(URL.parse(url)?.pathname ?? '')),
  };
}

async function* readable(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw broken(error, signal);
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function broken(error: unknown, signal: AbortSignal): WardenError {
  if (error instanceof WardenError) {
    return error.code === 'unprocessable' ? new WardenError('media_unreachable', { message: error.message }) : error;
  }
  if (signal.aborted) return unreachable('an answer in time', 'none', error);
  const isLate =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError;
  if (isLate) return unreachable('an answer in time', 'none', error);
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  return unreachable('a complete answer', typeof code === 'string' ? code : 'a broken connection', error);
}

function refusedUrl(expected: string): WardenError {
  return new WardenError('invalid_request', { details: [{ field: 'url', expected }] });
}

// oxlint-disable-next-line max-params -- what was awaited, what came, and why
function unreachable(expected: string, received: string, cause?: unknown): WardenError {
  return new WardenError('media_unreachable', { details: [{ field: 'url', expected, received }], cause });
}
