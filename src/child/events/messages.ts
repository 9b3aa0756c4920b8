/** From the library's messages to the contract's: pure. */
import { isGroupJid, isPhoneJid, userOf } from '../../contract/ids.ts';
import type { MessageRecord } from '../../contract/ipc.ts';
import type { SessionEvent } from '../../contract/events.ts';
import type { Addresses } from '../engine/addresses.ts';
import { describeContent, encodeContent } from '../engine/message-content.ts';
import type { WAMessage } from '../engine/link-socket.ts';

interface MessageFacts {
  readonly message: WAMessage;
  readonly addresses: Addresses;
  /** Whether it waited at WhatsApp while the session was offline. */
  readonly isBackfill: boolean;
  /** The serialized key of the message. */
  readonly key: Uint8Array;
  /** Unix milliseconds, for a message without a time of its own. */
  readonly now: number;
}

/** Larger contents are told but not kept: they would not fit into one frame of the channel. */
const maxProtoBytes = 512 * 1024;

/** A message that a person would see, as a row and as the event that tells of it. */
export function mapMessage(facts: MessageFacts): { readonly record: MessageRecord; readonly event: SessionEvent } {
  const { message, addresses, isBackfill } = facts;
  const content = describeContent(message.message);
  const seconds = Number(message.messageTimestamp ?? Math.floor(facts.now / 1000));
  const id = message.key.id ?? '';
  const body = content.text ?? content.caption;
  const fromMe = message.key.fromMe === true;
  const isGroup = isGroupJid(addresses.chat);
  const bytes = message.message ? encodeContent(message.message) : null;
  return {
    record: {
      id,
      chat: addresses.chat,
      sender: addresses.sender,
      fromMe,
      type: content.type,
      timestamp: seconds * 1000,
      body,
      proto: bytes === null || bytes.byteLength > maxProtoBytes ? null : bytes,
      key: facts.key,
    },
    event: {
      name: 'message',
      data: {
        from: addresses.sender,
        chat: addresses.chat,
        message_id: id,
        timestamp: seconds,
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
          content.quoted === null
            ? null
            : { message_id: content.quoted.messageId, from: content.quoted.from, body: content.quoted.body },
        mentions: [...content.mentions],
        forwarded: content.forwarded,
        ephemeral: content.ephemeralSeconds,
        backfilled: isBackfill,
      },
    },
  };
}
