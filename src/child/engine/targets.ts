/** Messages that other messages are about: quoted, edited, reacted to, deleted, forwarded, read. */
import type { WAMessageKey, WASocket } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { isGroupJid } from '../../contract/ids.ts';
import type { KnownMessage } from '../../contract/ipc.ts';
import type { StoreClient } from '../store-client.ts';
import { phoneJidOf } from './addresses.ts';
import { decodeContent, type MessageContent } from './message-content.ts';
import { readValue } from './values.ts';

export interface Target {
  /** As WhatsApp knows the message within the chat that it is addressed by. */
  readonly key: WAMessageKey;
  /** The chat as the store knows it. */
  readonly chat: string;
  readonly fromMe: boolean;
  readonly type: string;
  readonly content: MessageContent;
  /** Unix milliseconds. */
  readonly timestamp: number;
}

interface Wanted {
  /** The chat that it must belong to; null for any. */
  readonly chat: string | null;
  readonly id: string;
  /** The field of the request that named it. */
  readonly field: string;
}

interface TargetContext {
  readonly sock: WASocket;
  readonly store: Pick<StoreClient, 'message'>;
}

/** What people do not see as messages cannot be meant. */
const changeTypes = new Set(['edit', 'delete', 'reaction', 'pin']);

/** Throws `message_not_found` for one that is unknown, deleted, or of another chat. */
export async function findTarget(context: TargetContext, wanted: Wanted): Promise<Target> {
  const { known, key } = await findMessage(context, wanted);
  if (known.proto === null || known.isDeleted) throw notFound(wanted);
  const remoteJid = wanted.chat ?? key.remoteJid ?? known.chat;
  return {
    key: {
      remoteJid,
      fromMe: known.fromMe,
      id: wanted.id,
      ...(isGroupJid(known.chat) && !known.fromMe && key.participant ? { participant: key.participant } : {}),
    },
    chat: known.chat,
    fromMe: known.fromMe,
    type: known.type ?? 'unknown',
    content: decodeContent(known.proto),
    timestamp: known.timestamp,
  };
}

/** Also one without content; the key is as WhatsApp gave it. Throws `message_not_found`. */
export async function findMessage(
  { sock, store }: TargetContext,
  wanted: Wanted,
): Promise<{ readonly known: KnownMessage; readonly key: WAMessageKey }> {
  const known = await store.message(wanted.id);
  if (known === null || known.key === null) throw notFound(wanted);
  if (known.type !== null && changeTypes.has(known.type)) throw notFound(wanted);
  if (wanted.chat !== null && !(await isSameChat(sock, known.chat, wanted.chat))) throw notFound(wanted);
  return { known, key: readValue<WAMessageKey>(known.key) };
}

async function isSameChat(sock: WASocket, one: string, other: string): Promise<boolean> {
  return one === other || (await phoneJidOf(sock, one)) === (await phoneJidOf(sock, other));
}

function notFound({ id, field, chat }: Wanted): WardenError {
  const expected = chat === null ? 'the id of a message of this session' : 'the id of a message of this chat';
  return new WardenError('message_not_found', { details: [{ field, expected, received: id }] });
}
