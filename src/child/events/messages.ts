/** From the library's messages to the contract's: pure. */
import { isGroupJid, isPhoneJid, userOf } from '../../contract/ids.ts';
import type { MessageRecord } from '../../contract/ipc.ts';
import type { SessionEvent } from '../../contract/events.ts';
import type { Addresses } from '../engine/addresses.ts';
import { encodeContent, type ContentDescription } from '../engine/message-content.ts';
import type { WAMessage } from '../engine/link-socket.ts';
import { mediaOf } from './media.ts';

interface MessageFacts {
  readonly session: string;
  readonly message: WAMessage;
  readonly content: ContentDescription;
  readonly addresses: Addresses;
  /** Phone-number JIDs for those whom the content mentions or quotes, by the address it uses. */
  readonly people: ReadonlyMap<string, string>;
  /** Whether it waited at WhatsApp while the session was offline. */
  readonly isBackfill: boolean;
  /** The serialized key of the message. */
  readonly key: Uint8Array;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Larger contents are told but not kept: they would not fit into one frame of the channel. */
const maxProtoBytes = 512 * 1024;

/** A message that a person would see, as a row and as the event that tells of it. */
export function mapMessage(facts: MessageFacts): { readonly record: MessageRecord; readonly event: SessionEvent } {
  const { session, message, content, addresses, people, isBackfill, at } = facts;
  const id = message.key.id ?? '';
  const body = content.text ?? content.caption;
  const fromMe = message.key.fromMe === true;
  const isGroup = isGroupJid(addresses.chat);
  const bytes = message.message ? encodeContent(message.message) : null;
  const media = mediaOf(message.message, { session, messageId: id });
  const { quoted, location, contacts, poll } = content;
  const personOf = (jid: string): string => people.get(jid) ?? jid;
  return {
    record: {
      id,
      chat: addresses.chat,
      sender: addresses.sender,
      fromMe,
      type: content.type,
      timestamp: at,
      body,
      proto: bytes === null || bytes.byteLength > maxProtoBytes ? null : bytes,
      key: facts.key,
      media: media?.location ?? null,
    },
    event: {
      name: 'message',
      data: {
        from: addresses.sender,
        chat: addresses.chat,
        message_id: id,
        timestamp: Math.floor(at / 1000),
        type: content.type,
        body,
        is_from_me: fromMe,
        is_group: isGroup,
        participant: isGroup ? addresses.sender : null,
        from_phone: isPhoneJid(addresses.sender) ? userOf(addresses.sender) : null,
        from_lid: addresses.senderLid,
        push_name: message.pushName ?? null,
        caption: content.caption,
        quoted:
          quoted === null
            ? null
            : {
                message_id: quoted.messageId,
                from: quoted.from === null ? null : personOf(quoted.from),
                body: quoted.body,
              },
        mentions: content.mentions.map(personOf),
        media: media?.event ?? null,
        location: location === null ? null : { ...location },
        contacts:
          contacts === null ? null : contacts.map(({ displayName, vcard }) => ({ display_name: displayName, vcard })),
        poll: poll === null ? null : { ...poll, options: [...poll.options] },
        view_once: content.viewOnce,
        forwarded: content.forwarded,
        ephemeral: content.ephemeralSeconds,
        backfilled: isBackfill,
      },
    },
  };
}

/**
 * Unix milliseconds of a message; `now` for one without a time of its own. WhatsApp tells whole seconds: within its second
 * a message stands where it came in, for else it would stand before what it answers.
 */
export function timeOf(message: WAMessage, now: number): number {
  const seconds = Number(message.messageTimestamp ?? 0);
  return seconds > 0 ? Math.min(Math.max(now, seconds * 1000), seconds * 1000 + 999) : now;
}
