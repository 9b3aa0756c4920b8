/** What the store knows of messages and chats. */
import { WardenError } from '../../contract/errors.ts';
import { readRecipient, recipientKeyType } from '../../contract/known-recipient.ts';
import type { MessageRow, SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentChat, presentMessage, presentTimeline } from '../presenters/message.ts';
import { presentScheduledMessage, presentScheduledTimeline } from '../presenters/scheduled.ts';
import { sessionOf, type Handlers } from './handler.ts';

type StoredOperationName = 'listMessages' | 'getMessage' | 'getMessageTimeline' | 'listChats';

export function messageHandlers({ store }: Pick<ApiDependencies, 'store'>): Handlers<StoredOperationName> {
  /** The addresses under which a chat may be kept: as asked for, and what that turned out to be when it was resolved. */
  const addressesOf = async (row: SessionRow, chat: string): Promise<readonly string[]> => {
    const known = (await store.credentials.getKeys(row.id, recipientKeyType, [chat]))[chat];
    const { jid, lid } = known === undefined ? { jid: chat, lid: null } : readRecipient(known);
    return [...new Set([chat, jid, ...(lid === null ? [] : [lid])])];
  };

  const find = async (row: SessionRow, id: string): Promise<MessageRow> => {
    const message = await store.messages.find(row.id, id);
    if (message === null) throw new WardenError('message_not_found');
    return message;
  };

  return {
    listMessages: async (call) => {
      const row = sessionOf(call);
      const { chat, direction, search, limit, cursor } = call.params;
      const page = await store.messages.list(row.id, {
        chat: chat === undefined ? null : await addressesOf(row, chat),
        direction: direction ?? null,
        search: search ?? null,
        limit,
        cursor: cursor ?? null,
      });
      const messages = page.rows.map((message) => presentMessage(message, row));
      return { messages, total: page.total, next_cursor: page.nextCursor };
    },

    getMessage: async (call) => {
      const row = sessionOf(call);
      const scheduled = await store.scheduled.find(row.id, call.params.message_id);
      if (scheduled !== null) return presentScheduledMessage(scheduled, row);
      return presentMessage(await find(row, call.params.message_id), row);
    },

    getMessageTimeline: async (call) => {
      const row = sessionOf(call);
      const scheduled = await store.scheduled.find(row.id, call.params.message_id);
      if (scheduled !== null) return presentScheduledTimeline(scheduled);
      return presentTimeline(await find(row, call.params.message_id));
    },

    listChats: async (call) => {
      const row = sessionOf(call);
      const { limit, cursor } = call.params;
      const page = await store.messages.listChats(row.id, { limit, cursor: cursor ?? null });
      const chats = page.rows.map((chat) => presentChat(chat, row));
      return { chats, total: page.total, next_cursor: page.nextCursor };
    },
  };
}
