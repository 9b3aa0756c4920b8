/** Asks the account's phone to upload the file of a message again, when WhatsApp no longer has it. */
import {
  decryptMediaRetryData,
  encryptMediaRetryRequest,
  proto,
  type BaileysEventMap,
  type WASocket,
} from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { mediaLocationOf } from './media-location.ts';
import type { MessageContent } from './message-content.ts';

export interface RenewalOrder {
  readonly key: proto.IMessageKey;
  readonly content: MessageContent;
  readonly timeoutMs: number;
}

type MediaUpdate = BaileysEventMap['messages.media-update'][number];

/**
 * Answers where the file lies now. The library's own form of this waits without end for a phone that is switched off.
 * Throws `media_gone` when the phone has no copy or does not answer in time, `media_not_found` for a message without a
 * file.
 */
export async function renewMedia(sock: WASocket, { key, content, timeoutMs }: RenewalOrder): Promise<string> {
  const mediaKey = mediaLocationOf(content)?.mediaKey;
  const me = sock.user?.id;
  const id = key.id ?? '';
  if (mediaKey === undefined) throw new WardenError('media_not_found');
  if (me === undefined) throw new WardenError('session_not_connected');
  const { promise, resolve } = Promise.withResolvers<MediaUpdate | null>();
  const onUpdate = (updates: readonly MediaUpdate[]): void => {
    const update = updates.find((each) => each.key.id === id);
    if (update !== undefined) resolve(update);
  };
  const timer = setTimeout(() => resolve(null), timeoutMs);
  sock.ev.on('messages.media-update', onUpdate);
  try {
    await sock.sendNode(encryptMediaRetryRequest(key, Buffer.from(mediaKey), me));
    const update = await promise;
    if (update?.media === undefined) throw new WardenError('media_gone', { cause: update?.error });
    const answer = decryptMediaRetryData(update.media, Buffer.from(mediaKey), id);
    if (answer.result !== proto.MediaRetryNotification.ResultType.SUCCESS || !answer.directPath) {
      throw new WardenError('media_gone');
    }
    return answer.directPath;
  } finally {
    clearTimeout(timer);
    sock.ev.off('messages.media-update', onUpdate);
  }
}
