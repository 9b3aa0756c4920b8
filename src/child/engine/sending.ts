/** Sends one accepted message: recipient, typing, content, record, wire, WhatsApp's ack. */
import {
  generateWAMessage,
  type AnyMessageContent,
  type MessageGenerationOptions,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import { assertNever } from '../../contract/assert-never.ts';
import type { Clock } from '../../clock.ts';
import { WardenError } from '../../contract/errors.ts';
import { isGroupJid, isLidJid } from '../../contract/ids.ts';
import type { LinkLimits, MessageRecord, SendAnswer } from '../../contract/ipc.ts';
import type { StoreClient } from '../store-client.ts';
import type { Acks } from './acks.ts';
import { normaliseFailure, refused } from './failures.ts';
import { decodeContent, describeContent, encodeContent } from './message-content.ts';
import type { Recipients } from './recipients.ts';
import { stanzaExtras } from './stanza-extras.ts';
import { readValue, writeValue } from './values.ts';

export type { AnyMessageContent };

/** What a send handler makes of the params; everything else is common. */
export interface OutgoingMessage {
  readonly to: string;
  readonly content: AnyMessageContent;
  readonly replyTo?: string | undefined;
  readonly typingMs?: number | undefined;
  readonly ephemeralSeconds?: number | undefined;
}

export interface SendingContext {
  readonly sock: WASocket;
  readonly store: StoreClient;
  readonly acks: Acks;
  readonly recipients: Recipients;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  /** Tells the store how WhatsApp answered; not waited for. */
  readonly onAck: (messageId: string, chat: string, ack: AckOutcome) => void;
}

/** How WhatsApp answered a message, at unix milliseconds. */
export interface AckOutcome {
  readonly tag: 'acked' | 'refused';
  readonly at: number;
  /** WhatsApp's code of a refusal. */
  readonly code: string | null;
}

interface SendOrder {
  readonly messageId: string;
  /** Unix milliseconds after which it must not go out. */
  readonly expiresAt: number;
  readonly message: OutgoingMessage;
}

/**
 * Throws before anything went out; afterwards it answers `pending` when the ack is missing, since the message may have
 * arrived. A refusal of WhatsApp is thrown as `whatsapp_refused`.
 */
export async function sendMessage(context: SendingContext, order: SendOrder): Promise<SendAnswer> {
  const { sock, store, acks, limits, clock } = context;
  const { messageId, message } = order;
  const to = await context.recipients.resolve(sock, message.to);
  if (!isGroupJid(to)) await context.recipients.requireDevices(sock, to, limits.queryTimeoutMs);
  const quoted = message.replyTo === undefined ? undefined : await findQuoted(store, message.replyTo, to);
  await showTyping(sock, to, message.typingMs ?? 0);
  if (clock.now() > order.expiresAt) {
    throw new WardenError('whatsapp_timeout', {
      message: 'The message expired before it could be sent; send it again.',
    });
  }
  const options: MessageGenerationOptions = {
    userJid: ownJid(sock),
    upload: sock.waUploadToServer,
    messageId,
    ...(quoted === undefined ? {} : { quoted }),
    ...(message.ephemeralSeconds === undefined ? {} : { ephemeralExpiration: message.ephemeralSeconds }),
  };
  const built = await generateWAMessage(to, message.content, options);
  await store.sending(recordOf(built, { chat: to, sender: ownJid(sock), now: clock.now() }));

  const ack = acks.wait(messageId, limits.sendTimeoutMs);
  try {
    await sock.relayMessage(to, built.message ?? {}, { messageId, ...stanzaExtras(message.content) });
  } catch (thrown) {
    acks.arrived(messageId, { tag: 'silent' });
    const error = normaliseFailure(thrown, 'send the message');
    // The frame may have left before the connection broke.
    if (error.code === 'session_not_connected') return { to, status: 'pending', at: clock.now() };
    throw error;
  }
  const outcome = await ack;
  switch (outcome.tag) {
    case 'silent':
      return { to, status: 'pending', at: clock.now() };
    case 'refused':
      context.onAck(messageId, to, { tag: 'refused', at: outcome.at, code: outcome.code });
      throw refused('the message was not accepted', outcome.code);
    case 'acked':
      context.onAck(messageId, to, { tag: 'acked', at: outcome.at, code: null });
      return { to, status: 'sent', at: outcome.at };
    default:
      return assertNever(outcome);
  }
}

function recordOf(
  built: WAMessage,
  { chat, sender, now }: { readonly chat: string; readonly sender: string; readonly now: number },
): MessageRecord {
  const content = built.message ?? {};
  const { type, text, caption } = describeContent(content);
  return {
    id: built.key.id ?? '',
    chat,
    sender,
    fromMe: true,
    type,
    timestamp: now,
    body: text ?? caption,
    proto: encodeContent(content),
    key: writeValue(built.key),
  };
}

/** The message to quote, as the library wants it. Throws `message_not_found`. */
async function findQuoted(store: StoreClient, id: string, to: string): Promise<WAMessage> {
  const stored = await store.message(id);
  const isElsewhere = stored !== null && isGroupJid(stored.chat) !== isGroupJid(to);
  const isOtherChat = stored !== null && !isLidJid(stored.chat) && !isLidJid(to) && stored.chat !== to;
  const proto = stored?.proto ?? null;
  const key = stored?.key ?? null;
  if (proto === null || key === null || isElsewhere || isOtherChat) {
    throw new WardenError('message_not_found', {
      details: [{ field: 'reply_to', expected: 'the id of a message of this chat', received: id }],
    });
  }
  return { key: readValue<WAMessage['key']>(key), message: decodeContent(proto) };
}

async function showTyping(sock: WASocket, to: string, typingMs: number): Promise<void> {
  if (typingMs === 0) return;
  try {
    await sock.sendPresenceUpdate('composing', to);
    await new Promise((resolve) => setTimeout(resolve, typingMs));
    await sock.sendPresenceUpdate('paused', to);
  } catch (error) {
    throw normaliseFailure(error, 'show typing');
  }
}

function ownJid(sock: WASocket): string {
  const id = sock.user?.id;
  if (id === undefined) throw new WardenError('session_not_connected');
  return id.replace(/:\d+(?=@)/, '');
}
