/** Where sessions find the media host, and what phones do when a session finds a file gone there. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { describeContent } from '../content.ts';
import { lidJid } from '../jid.ts';
import { mediaRetryKey } from '../media/media-keys.ts';
import { findMessage, type MessageLookupParts } from '../message-lookup.ts';
import type { BinaryNode, Device, Flow, SimulatorContext } from '../types.ts';
import { bytesOf, child, element, iqResult, isIq } from '../wire/node.ts';
import { proto } from '../wire/proto.ts';

export interface MediaRetryParts extends MessageLookupParts {
  readonly context: SimulatorContext;
}

const HOUR_S = '3600';
const tagBytes = 16;
const { ResultType } = proto.MediaRetryNotification;

/** `<media_conn/>`: the host, and the word with which this companion uploads. */
export function mediaConnectionFlow({ media }: SimulatorContext): Flow {
  return {
    name: 'media connections',
    handles: (node) => isIq(node, 'w:m', 'set'),
    async handle(node, connection) {
      const attrs = { auth: media.authOf(connection.device), ttl: HOUR_S, auth_ttl: HOUR_S, max_buckets: '12' };
      connection.send(iqResult(node, [element('media_conn', attrs, [element('host', { hostname: media.host })])]));
    },
  };
}

/** Acts on `<receipt type=server-error>`: the account's phone uploads the media of a message again. */
export function answerMediaRetry(parts: MediaRetryParts, node: BinaryNode, device: Device): void {
  const { context } = parts;
  const asked = child(node, 'rmr')?.attrs ?? {};
  const id = node.attrs['id'] ?? '';
  const result = uploadAgain(parts, node, device);
  const content = typeof result === 'number' ? element('error', { code: String(result) }) : encrypted(id, result);
  context.notify(
    device,
    element(
      'notification',
      { type: 'mediaretry', id, from: lidJid(device.user.lid), t: String(Math.floor(context.clock.now() / 1000)) },
      [content, element('rmr', { jid: asked['jid'], from_me: asked['from_me'], participant: asked['participant'] })],
    ),
  );
}

interface Reupload {
  readonly directPath: string;
  readonly mediaKey: Uint8Array;
}

/** The new direct path, or the number of the failure. */
function uploadAgain(parts: MediaRetryParts, node: BinaryNode, { user }: Device): Reupload | number {
  const { context } = parts;
  const { jid = '', from_me: fromMe, participant } = child(node, 'rmr')?.attrs ?? {};
  const author = fromMe === 'true' ? user : context.directory.byJid(participant ?? jid);
  const id = node.attrs['id'] ?? '';
  const found = author === undefined ? null : findMessage(parts, [author], id);
  const file = found === null ? undefined : describeContent(found.content).media?.file;
  if (file === undefined) return ResultType.NOT_FOUND;
  if (!isGenuine(child(node, 'encrypt'), id, file.mediaKey)) return ResultType.DECRYPTION_ERROR;
  const directPath = context.media.renew(file);
  return directPath === null ? ResultType.NOT_FOUND : { directPath, mediaKey: file.mediaKey };
}

/** Whether the request is encrypted with the media's own key and names the message. */
function isGenuine(request: BinaryNode | undefined, id: string, mediaKey: Uint8Array): boolean {
  const payload = bytesOf(child(request, 'enc_p'));
  try {
    const decipher = createDecipheriv('aes-256-gcm', mediaRetryKey(mediaKey), bytesOf(child(request, 'enc_iv')))
      .setAAD(Buffer.from(id))
      .setAuthTag(payload.subarray(-tagBytes));
    const plain = Buffer.concat([decipher.update(payload.subarray(0, -tagBytes)), decipher.final()]);
    return proto.ServerErrorReceipt.decode(plain).stanzaId === id;
  } catch {
    return false;
  }
}

function encrypted(id: string, { directPath, mediaKey }: Reupload): BinaryNode {
  const plain = proto.MediaRetryNotification.encode({ stanzaId: id, directPath, result: ResultType.SUCCESS }).finish();
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', mediaRetryKey(mediaKey), iv).setAAD(Buffer.from(id));
  const payload = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return element('encrypt', {}, [element('enc_p', {}, payload), element('enc_iv', {}, iv)]);
}
