/** Media of received messages in the contract's words: pure. */
import type { EventData } from '../../contract/events.ts';
import type { MediaLocation } from '../../contract/ipc.ts';
import { mediaLocationOf } from '../engine/media-location.ts';
import type { MessageContent } from '../engine/message-content.ts';

export interface ReceivedMedia {
  /** For the store's row: where the file lies, and the key that opens it. */
  readonly location: MediaLocation;
  /** For the event `message`; `url` is the path of the decrypted file on this gateway. */
  readonly event: NonNullable<EventData<'message'>['media']>;
}

/** Null for a message without a file. */
export function mediaOf(
  message: MessageContent | null | undefined,
  { session, messageId }: { readonly session: string; readonly messageId: string },
): ReceivedMedia | null {
  const location = mediaLocationOf(message);
  if (location === null) return null;
  return {
    location,
    event: {
      mimetype: location.mimetype,
      file_length: location.fileLength,
      file_name: location.fileName,
      seconds: location.seconds,
      url: `/api/v1/sessions/${encodeURIComponent(session)}/messages/${encodeURIComponent(messageId)}/media`,
    },
  };
}
