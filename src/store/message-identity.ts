/** Pure: what makes two records the same message. */
import type { MessageRecord } from '../contract/ipc.ts';
import { textOf } from './text-of.ts';

export interface SessionRecord {
  readonly session: string;
  readonly record: MessageRecord;
}

/** The account's own messages are known by their id, those of others by chat and sender, too. */
export const identityOf = (session: string, record: Pick<MessageRecord, 'id' | 'chat' | 'sender' | 'fromMe'>): string =>
  JSON.stringify(
    record.fromMe
      ? [session, textOf(record.id)]
      : [session, textOf(record.id), textOf(record.chat), textOf(record.sender)],
  );
