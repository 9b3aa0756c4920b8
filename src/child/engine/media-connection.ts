/** Where files are uploaded to: WhatsApp tells hosts and a word for some time; we ask when it is over. */
import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  S_WHATSAPP_NET,
  type BinaryNode,
  type WASocket,
} from '@whiskeysockets/baileys';
import { trusted } from '../../contract/trusted.ts';
import { answered, normaliseFailure } from './failures.ts';

export interface MediaConnection {
  /** Host names, the best first; a port may be part of them. */
  readonly hosts: readonly string[];
  readonly auth: string;
}

interface KeptConnection extends MediaConnection {
  /** On the clock that never jumps. */
  readonly untilMs: number;
}

const what = 'find the media servers';
const kept = new WeakMap<WASocket, KeptConnection>();

/**
 * The library's own form of this keeps the failure of one query for as long as the link lasts. Throws
 * `whatsapp_timeout`, `session_not_connected`, `whatsapp_refused`.
 */
export async function mediaConnection(
  sock: WASocket,
  { isRefused }: { readonly isRefused: boolean },
): Promise<MediaConnection> {
  const known = kept.get(sock);
  if (!isRefused && known !== undefined && known.untilMs > performance.now()) return known;
  const result = await ask(sock);
  const node = getBinaryNodeChild(result, 'media_conn');
  const hosts = getBinaryNodeChildren(node, 'host').flatMap(({ attrs }) => attrs['hostname'] ?? []);
  const ttlMs = Number(node?.attrs['ttl'] ?? 0) * 1000;
  const connection = { hosts, auth: node?.attrs['auth'] ?? '', untilMs: performance.now() + ttlMs };
  kept.set(sock, connection);
  return connection;
}

async function ask(sock: WASocket): Promise<BinaryNode> {
  const query: BinaryNode = {
    tag: 'iq',
    attrs: { type: 'set', xmlns: 'w:m', to: S_WHATSAPP_NET },
    content: [{ tag: 'media_conn', attrs: {} }],
  };
  try {
    // A query is answered with a stanza, or with undefined when it timed out.
    return answered(trusted<BinaryNode | undefined>(await sock.query(query)), what);
  } catch (error) {
    throw normaliseFailure(error, what);
  }
}
