/** What a session does with files apart from sending them: uploads for later, and finds lost ones again. */
import type { WAMessage, WASocket } from './engine/link-socket.ts';
import type { Clock } from '../clock.ts';
import { WardenError } from '../contract/errors.ts';
import type { LinkLimits, PreparedMedia, ToChild } from '../contract/ipc.ts';
import { normaliseFailure } from './engine/failures.ts';
import { uploadedContent } from './engine/media-content.ts';
import { mediaLocationOf } from './engine/media-location.ts';
import { renewMedia } from './engine/media-renewal.ts';
import { decodeContent, encodeContent } from './engine/message-content.ts';
import { readValue } from './engine/values.ts';
import type { StoreClient } from './store-client.ts';

interface MediaContext {
  readonly sock: WASocket;
  readonly store: Pick<StoreClient, 'message'>;
  readonly limits: LinkLimits;
  readonly clock: Clock;
}

/** Uploads a file without sending it. Throws `media_upload_failed`. */
export async function uploadForLater(
  { sock, limits, clock }: MediaContext,
  media: PreparedMedia,
): Promise<ToChild['upload_media']['answer']> {
  try {
    const content = await uploadedContent(sock, media, { timeoutMs: limits.mediaUploadTimeoutMs, now: clock.now() });
    const location = mediaLocationOf(content);
    if (location === null) throw new WardenError('internal_error', { message: 'what was uploaded is not found again' });
    return { content: encodeContent(content), location };
  } catch (error) {
    throw normaliseFailure(error, 'upload the file');
  }
}

/** Has the phone upload the file of a message again. Throws `media_gone`, `message_not_found`, `media_not_found`. */
export async function renewFile(
  { sock, store, limits }: MediaContext,
  messageId: string,
): Promise<ToChild['renew_media']['answer']> {
  const known = await store.message(messageId);
  if (known === null) throw new WardenError('message_not_found');
  if (known.proto === null || known.key === null) throw new WardenError('media_gone');
  const key = readValue<WAMessage['key']>(known.key);
  const content = decodeContent(known.proto);
  try {
    return { directPath: await renewMedia(sock, { key, content, timeoutMs: limits.queryTimeoutMs }) };
  } catch (error) {
    throw normaliseFailure(error, 'ask the phone for the file');
  }
}
