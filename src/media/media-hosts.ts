/** Pure. Which hosts the files of messages may be fetched from: a message is written by strangers. */
import type { LinkTarget, MediaLocation } from '../contract/ipc.ts';

const defaultHost = 'mmg.whatsapp.net';

/** A direct path goes with the host that the message names, or with WhatsApp's usual one. Null for nonsense. */
export function urlOfFile({ url, directPath }: Pick<MediaLocation, 'url' | 'directPath'>): URL | null {
  const named = url === null ? null : URL.parse(url);
  if (directPath === null) return named;
  if (!directPath.startsWith('/') || directPath.startsWith('//')) return null;
  return URL.parse(directPath, `https://${named?.host ?? defaultHost}`);
}

/** WhatsApp's own hosts; for a session that is linked to another server also that server's host, on any port. */
export function mayServe(url: URL, target: LinkTarget): boolean {
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false;
  const own = target.url === null ? null : URL.parse(target.url)?.hostname;
  if (own !== null && url.hostname === own) return true;
  return url.port === '' && /(^|\.)(whatsapp\.net|fbcdn\.net)$/.test(url.hostname);
}
