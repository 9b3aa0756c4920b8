/**
 * Files of messages: fetched from WhatsApp when somebody asks for them, decrypted and verified as a whole before the
 * first byte is given out, asked for again from the phone when WhatsApp no longer has them.
 */
import { createHash } from 'node:crypto';
import { errors, request, type Dispatcher } from 'undici';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { LinkTarget, MediaLocation } from '../contract/ipc.ts';
import { decrypted } from './decrypt-media.ts';
import type { CachedFile, MediaCache } from './media-cache.ts';
import { mayServe, urlOfFile } from './media-hosts.ts';

export interface ReceivedOptions {
  readonly cache: MediaCache;
  /** For the media hosts of a target: what it trusts, and where it may go. The same target gets the same one. */
  readonly agentFor: (target: LinkTarget) => Dispatcher;
  readonly userAgent: string;
  /** For one whole download. */
  readonly timeoutMs: number;
}

export interface FileRequest {
  readonly session: SessionId;
  readonly messageId: string;
  readonly location: MediaLocation;
  readonly target: LinkTarget;
  /** Asks the phone to upload it again; answers where it lies then. */
  readonly renew: () => Promise<MediaLocation>;
}

export interface ReceivedMedia {
  /**
   * The verified file; the caller closes it. Requests for one file share its download, which goes on when one of them is
   * given up. Throws `media_gone`, `media_unavailable`, `media_damaged`, `storage_full`.
   */
  open(request: FileRequest): Promise<CachedFile>;
  /** Breaks downloads off. */
  close(): void;
}

/** WhatsApp answers 403 for a link whose time is over. */
const goneStatus = new Set([403, 404, 410]);

export function createReceivedMedia(options: ReceivedOptions): ReceivedMedia {
  const { cache } = options;
  const underWay = new Map<string, Promise<void>>();
  const lifetime = new AbortController();

  return {
    open: async (wanted) => {
      const name = nameOf(wanted.location);
      const known = await cache.find(name);
      if (known !== null) return known;
      const running =
        underWay.get(name) ?? obtain(options, wanted, name, lifetime.signal).finally(() => underWay.delete(name));
      underWay.set(name, running);
      await running;
      const obtained = await cache.find(name);
      if (obtained === null) throw new WardenError('storage_full');
      return obtained;
    },
    close: () => lifetime.abort(new WardenError('shutting_down')),
  };
}

/** By content and key: whoever names the hash of a file must also have its key to get what is kept of it. */
function nameOf({ mediaKey, fileSha256, fileEncSha256 }: MediaLocation): string {
  return createHash('sha256').update(mediaKey).update(fileSha256).update('/').update(fileEncSha256).digest('hex');
}

// oxlint-disable-next-line max-params -- what with, what, under which name, how long
async function obtain(
  options: ReceivedOptions,
  wanted: FileRequest,
  name: string,
  lifetime: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([lifetime, AbortSignal.timeout(options.timeoutMs)]);
  const attempt = async (location: MediaLocation): Promise<void> => {
    const body = download(options, { location, target: wanted.target }, signal);
    const { file } = await cached(decrypted(body, location));
    await file.close();
  };
  const cached = (source: AsyncIterable<Uint8Array>) => options.cache.fill(name, source, signal);
  try {
    await attempt(wanted.location);
  } catch (error) {
    const isGone = error instanceof WardenError && error.code === 'media_gone';
    if (!isGone) throw asUnavailable(error);
    const renewed = await wanted.renew();
    await attempt(renewed).catch((again: unknown) => {
      throw asUnavailable(again);
    });
  }
}

/** Throws `media_gone` when WhatsApp does not have the file any more. */
async function* download(
  { agentFor, userAgent }: ReceivedOptions,
  { location, target }: Pick<FileRequest, 'location' | 'target'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const url = urlOfFile(location);
  if (url === null || !mayServe(url, target)) {
    throw new WardenError('media_unavailable', {
      message: 'The message names a media server that is not one of WhatsApp.',
    });
  }
  const { statusCode, body } = await request(url, {
    dispatcher: agentFor(target),
    signal,
    headers: { 'user-agent': userAgent, origin: 'https://web.whatsapp.com', 'accept-encoding': 'identity' },
  });
  if (statusCode !== 200) {
    body.on('error', () => undefined).destroy();
    if (goneStatus.has(statusCode)) throw new WardenError('media_gone');
    throw new Error(`the media server answered ${statusCode}`);
  }
  yield* body;
}

function asUnavailable(error: unknown): WardenError {
  if (error instanceof WardenError) return error;
  const isLate = error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  return new WardenError('media_unavailable', {
    cause: error,
    ...(isLate ? { message: "WhatsApp's media servers did not give the file out in time; repeat the request." } : {}),
  });
}
