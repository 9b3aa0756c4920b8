/** Sends one accepted message: recipient, typing, content, record, wire, WhatsApp's ack. */
import type { MessageGenerationOptions, WAMessage, WASocket } from '@whiskeysockets/baileys';
import { assertNever } from '../../contract/assert-never.ts';
import type { Clock } from '../../clock.ts';
import { WardenError } from '../../contract/errors.ts';
import { isGroupJid } from '../../contract/ids.ts';
import type { LinkLimits, SendAnswer } from '../../contract/ipc.ts';
import type { StoreClient } from '../store-client.ts';
import type { Acks } from './acks.ts';
import { ownAddresses, ownJid, phoneJidOf } from './addresses.ts';
import type { ChatExpirations } from './chat-expirations.ts';
import { normaliseFailure, refused } from './failures.ts';
import type { GroupCache } from './group-cache.ts';
import { prepareGroupSend } from './group-queries.ts';
import { resolveMentions } from './mentions.ts';
import type { MessageContent } from './message-content.ts';
import { buildMessage, type OutgoingMessage } from './outgoing.ts';
import { recordOf } from './outgoing-record.ts';
import type { Recipients } from './recipients.ts';
import { stanzaExtras } from './stanza-extras.ts';
import { findTarget } from './targets.ts';
import { behindGate } from './wire-gate.ts';

export interface SendingContext {
  readonly sock: WASocket;
  readonly store: StoreClient;
  readonly acks: Acks;
  readonly recipients: Recipients;
  readonly groups: GroupCache;
  readonly expirations: ChatExpirations;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  /** Tells the store how WhatsApp answered; resolves with true when that is committed. */
  readonly onAck: (sent: SentMessage, ack: AckOutcome) => Promise<boolean>;
}

/** A message that has gone out, as far as its ack changes anything. */
export interface SentMessage {
  readonly messageId: string;
  readonly chat: string;
  readonly type: string;
  readonly content: MessageContent | null;
}

/** How WhatsApp answered a message, at unix milliseconds. */
export interface AckOutcome {
  readonly tag: 'acked' | 'refused';
  readonly at: number;
  /** WhatsApp's code of a refusal. */
  readonly code: string | null;
}

/** How long the answer of a send waits for its ack to be committed; the supervisor allows for a little more. */
const commitPatienceMs = 3_000;

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
  const { queryTimeoutMs } = limits;
  const group = isGroupJid(to) ? await prepareGroupSend(context, { jid: to, queryTimeoutMs }) : null;
  if (group === null) await context.recipients.requireDevices(sock, to, queryTimeoutMs);
  const quoted = message.replyTo === undefined ? undefined : await findQuoted(context, message.replyTo, to);
  const mentions = resolveMentions(message.mentions, group, ownAddresses(sock));
  const chat = await phoneJidOf(sock, to);
  const expiration = message.ephemeralSeconds ?? group?.ephemeralSeconds ?? (await context.expirations.of(chat));
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
    ...(expiration === 0 ? {} : { ephemeralExpiration: expiration }),
  };
  const built = await buildMessage({ to, content: message.content, mentions, options });
  const content = built.message ?? {};
  const record = recordOf(built, { chat, sender: ownJid(sock), now: clock.now() });
  const kept = store.sending(record);
  // What is not encrypted passes no gate.
  if (to.endsWith('@newsletter')) await kept;
  // Before whoever waits at the gate hears of it.
  const ack = kept.then(() => acks.wait(messageId, limits.sendTimeoutMs));
  ack.catch(() => undefined);
  const relayed = behindGate(kept, () => sock.relayMessage(to, content, { messageId, ...stanzaExtras(content, to) }));
  // Whoever asked hears at once that it could not be kept; the library may still wait for the keys then.
  relayed.catch(() => undefined);
  try {
    await kept;
    await relayed;
  } catch (thrown) {
    acks.arrived(messageId, { tag: 'silent' });
    const error = normaliseFailure(thrown, 'send the message');
    // The frame may have left before the connection broke.
    if (error.code === 'session_not_connected') return { to, status: 'pending', at: clock.now() };
    throw error;
  }
  const outcome = await ack;
  const sent: SentMessage = { messageId, chat, type: record.type, content };
  switch (outcome.tag) {
    case 'silent':
      return { to, status: 'pending', at: clock.now() };
    case 'refused':
      await within(commitPatienceMs, context.onAck(sent, { tag: 'refused', at: outcome.at, code: outcome.code }));
      throw refused('the message was not accepted', outcome.code);
    case 'acked':
      // What is called sent is forgotten by whoever handed it over: the row must say so first.
      return (await within(commitPatienceMs, context.onAck(sent, { tag: 'acked', at: outcome.at, code: null })))
        ? { to, status: 'sent', at: outcome.at }
        : { to, status: 'pending', at: outcome.at };
    default:
      return assertNever(outcome);
  }
}

/** What the work answers, or false when it takes too long; it goes on all the same. */
async function within(patienceMs: number, work: Promise<boolean>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), patienceMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The message to quote, as the library wants it. Throws `message_not_found`. */
async function findQuoted({ sock, store }: SendingContext, id: string, to: string): Promise<WAMessage> {
  const { key, content } = await findTarget({ sock, store }, { chat: to, id, field: 'reply_to' });
  return { key, message: content };
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
