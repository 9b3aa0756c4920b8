/** Every event that a session can tell its webhooks: name, when it is emitted, and the shape of its data. */
import { z } from 'zod';
import { unixSeconds } from './schemas.ts';

interface EventEntry {
  /** "X is emitted when …" */
  readonly when: string;
  readonly data: z.ZodType;
}

const jid = z.string();

const messageData = z.object({
  from: jid.describe('Phone-number JID of the sender wherever WhatsApp discloses it.'),
  chat: jid,
  message_id: z.string(),
  timestamp: unixSeconds,
  type: z.string().describe('text, image, video, audio, document, sticker, location, contact, poll, unknown …'),
  body: z.string().nullable().describe('The text, or the caption of media.'),
  is_from_me: z.boolean().describe('Whether the account itself wrote it, on its phone or another device.'),
  is_group: z.boolean(),
  participant: jid.nullable().describe('The author of a group message.'),
  from_phone: z.string().nullable(),
  from_lid: jid.nullable(),
  push_name: z.string().nullable(),
  caption: z.string().nullable(),
  quoted: z.object({ message_id: z.string(), from: jid.nullable(), body: z.string().nullable() }).nullable(),
  mentions: z.array(jid),
  forwarded: z.boolean(),
  ephemeral: z.int().nullable().describe('Seconds after which the message disappears.'),
  backfilled: z.boolean().describe('Whether it arrived while the session was offline.'),
});

const statusReason = z.string();

export const events = {
  message: {
    when: 'message is emitted when somebody writes to the session, or the account writes from its phone.',
    data: messageData,
  },
  connected: {
    when: 'connected is emitted when the link to WhatsApp is open and messages can be sent.',
    data: z.object({
      phone_number: z.string().nullable(),
      jid: jid.nullable(),
      lid: jid.nullable(),
      push_name: z.string().nullable(),
      is_new_login: z.boolean().describe('Whether this is the first connection after pairing.'),
    }),
  },
  disconnected: {
    when: 'disconnected is emitted when an open link is lost or closed.',
    data: z.object({ reason: statusReason, code: z.int().nullable(), will_reconnect: z.boolean() }),
  },
  qr_code: {
    when: 'qr_code is emitted when a new QR code can be scanned.',
    data: z.object({ qr: z.string(), expires_at: unixSeconds, attempt: z.int() }),
  },
  pair_code: {
    when: 'pair_code is emitted when a pair code can be typed into WhatsApp on the phone.',
    data: z.object({ code: z.string(), phone: z.string(), expires_at: unixSeconds }),
  },
  receipt: {
    when: 'receipt is emitted when a message that the session sent is delivered, read or played.',
    data: z.object({
      message_ids: z.array(z.string()),
      chat: jid,
      from: jid.nullable().describe('Who received or read it.'),
      status: z.enum(['sent', 'delivered', 'read', 'played']),
      timestamp: unixSeconds,
    }),
  },
  logged_out: {
    when: 'logged_out is emitted when the session is no longer linked to its phone.',
    data: z.object({ reason: statusReason, code: z.int().nullable() }),
  },
  message_failed: {
    when: 'message_failed is emitted when WhatsApp refuses a message or its deadline passes before it is sent.',
    data: z.object({ message_id: z.string(), chat: jid, code: z.string().nullable(), reason: statusReason }),
  },
  message_undecryptable: {
    when: 'message_undecryptable is emitted when a message could not be decrypted although its sender was asked again.',
    data: z.object({ message_id: z.string(), chat: jid, from: jid.nullable(), reason: statusReason }),
  },
} as const satisfies Record<string, EventEntry>;

export type EventName = keyof typeof events;
export type EventData<N extends EventName> = z.output<(typeof events)[N]['data']>;
/** One event of any name with the data that belongs to it. */
export type SessionEvent = { [N in EventName]: { readonly name: N; readonly data: EventData<N> } }[EventName];

const isEventName = (name: string): name is EventName => name in events;
export const eventNames: readonly EventName[] = Object.keys(events).filter(isEventName);

/** What a webhook receives; `id` never changes over retries, `sequence` grows by one per event of a session. */
export interface EventEnvelope {
  readonly id: string;
  readonly event: EventName;
  readonly session_id: string;
  readonly timestamp: number;
  readonly sequence: number;
  readonly data: unknown;
}
