/**
 * Profile pictures, fetched from where WhatsApp says that they lie. The address comes from WhatsApp itself and is small
 * talk for strangers all the same: hosts are checked, the size is bounded, and what is no picture is none.
 */
import { request, type Dispatcher } from 'undici';
import type { LinkTarget } from '../contract/ipc.ts';
import { sniff } from './sniff.ts';

export interface ProfilePicture {
  readonly bytes: Buffer;
  readonly mimetype: string;
}

export interface ProfilePictures {
  /** Null when there is no picture at that address that may be fetched. Throws what the network does. */
  fetch(url: string, target: LinkTarget, signal: AbortSignal): Promise<ProfilePicture | null>;
}

const capBytes = 512 * 1024;
const shownTypes: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/webp']);

/** `agentFor` answers what reaches the media hosts of a target, see media.ts. */
export function createProfilePictures(options: {
  readonly agentFor: (target: LinkTarget) => Dispatcher;
  readonly userAgent: string;
}): ProfilePictures {
  const { agentFor, userAgent } = options;
  return {
    fetch: async (text, target, signal) => {
      const url = URL.parse(text);
      if (url === null || !mayShow(url, target)) return null;
      const { statusCode, body } = await request(url, {
        dispatcher: agentFor(target),
        signal,
        headers: { 'user-agent': userAgent, 'accept-encoding': 'identity' },
      });
      const bytes = statusCode === 200 ? await taken(body) : null;
      if (bytes === null) {
        body.on('error', () => undefined).destroy();
        return null;
      }
      const mimetype = sniff(bytes);
      return mimetype !== null && shownTypes.has(mimetype) ? { bytes, mimetype } : null;
    },
  };
}

/** Pure. WhatsApp's own hosts; for a session that is linked to another server that server's host, on any port. */
export function mayShow(url: URL, target: LinkTarget): boolean {
  if (url.username !== '' || url.password !== '') return false;
  const own = target.url === null ? null : URL.parse(target.url)?.hostname;
  if (own !== null && url.hostname === own) return url.protocol === 'http:' || url.protocol === 'https:';
  return url.protocol === 'https:' && url.port === '' && /(^|\.)(whatsapp\.net|fbcdn\.net)$/.test(url.hostname);
}

/** All of the body; null when it is larger than a picture should be. */
async function taken(body: AsyncIterable<Uint8Array>): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > capBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
