/** Finds messages by id among what simulated people and sessions have written. */
import type { Inbox } from './state/inbox.ts';
import type { SentMessages } from './state/sent-messages.ts';
import type { User } from './types.ts';

export interface MessageLookupParts {
  readonly inbox: Inbox;
  readonly sent: SentMessages;
}

export interface FoundMessage {
  readonly author: User;
  /** The message protobuf. */
  readonly content: Uint8Array;
}

/** The message with this id that one of these people wrote, on the phone or by a session; null when there is none. */
export function findMessage(
  { inbox, sent }: MessageLookupParts,
  authors: Iterable<User>,
  messageId: string,
): FoundMessage | null {
  for (const author of authors) {
    const content = sent.find(author, messageId)?.content ?? inbox.copies(author, messageId)[0]?.content;
    if (content !== undefined) return { author, content };
  }
  return null;
}
