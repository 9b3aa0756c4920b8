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
  media: z
    .object({
      mimetype: z.string().nullable(),
      file_length: z.int().nullable(),
      file_name: z.string().nullable(),
      seconds: z.int().nullable(),
      url: z.string().describe('Path of the decrypted file on this gateway; needs a token.'),
    })
    .nullable(),
  location: z
    .object({
      latitude: z.number(),
      longitude: z.number(),
      name: z.string().nullable(),
      address: z.string().nullable(),
    })
    .nullable(),
  contacts: z.array(z.object({ display_name: z.string(), vcard: z.string() })).nullable(),
  poll: z.object({ question: z.string(), options: z.array(z.string()), selectable: z.int() }).nullable(),
  view_once: z.boolean(),
  forwarded: z.boolean(),
  ephemeral: z.int().nullable().describe('Seconds after which the message disappears.'),
  backfilled: z.boolean().describe('Whether it arrived while the session was offline.'),
});

const bulkData = z.object({
  bulk_id: z.string(),
  name: z.string().nullable(),
  status: z.string(),
  total: z.int(),
  queued: z.int(),
  sending: z.int(),
  sent: z.int(),
  delivered: z.int(),
  read: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  skipped: z.int(),
});
const statusReason = z.string();
const member = z.object({ jid, phone_number: z.string().nullable(), lid: jid.nullable() });

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
  message_sent: {
    when: 'message_sent is emitted when WhatsApp has acknowledged a message of the session.',
    data: z.object({ message_id: z.string(), chat: jid, type: z.string(), timestamp: unixSeconds }),
  },
  message_edited: {
    when: 'message_edited is emitted when somebody edits a message of a chat of the session.',
    data: z.object({
      message_id: z.string().describe('The message that was edited.'),
      chat: jid,
      from: jid,
      is_from_me: z.boolean(),
      body: z.string().nullable(),
      timestamp: unixSeconds,
    }),
  },
  message_deleted: {
    when: 'message_deleted is emitted when somebody deletes a message of a chat of the session for everyone.',
    data: z.object({
      message_id: z.string().describe('The message that was deleted.'),
      chat: jid,
      from: jid,
      is_from_me: z.boolean(),
      timestamp: unixSeconds,
    }),
  },
  reaction: {
    when: 'reaction is emitted when somebody reacts to a message, or takes a reaction back.',
    data: z.object({
      message_id: z.string().describe('The message that it is about.'),
      chat: jid,
      from: jid,
      is_from_me: z.boolean(),
      emoji: z.string().nullable().describe('Null when the reaction was taken back.'),
      timestamp: unixSeconds,
    }),
  },
  poll_vote: {
    when: 'poll_vote is emitted when somebody votes in a poll, or changes the vote.',
    data: z.object({
      message_id: z.string().describe('The poll.'),
      chat: jid,
      from: jid,
      selected: z.array(z.string()).describe('The options that this person has chosen now.'),
      timestamp: unixSeconds,
    }),
  },
  presence: {
    when: 'presence is emitted when a contact whose presence was subscribed to comes online or goes offline.',
    data: z.object({ jid, status: z.enum(['available', 'unavailable']), last_seen: unixSeconds.nullable() }),
  },
  chat_presence: {
    when: 'chat_presence is emitted when a contact starts or stops typing or recording.',
    data: z.object({ chat: jid, from: jid, state: z.enum(['composing', 'recording', 'paused']) }),
  },
  call: {
    when: 'call is emitted when somebody calls the account, and when that call changes.',
    data: z.object({
      call_id: z.string(),
      from: jid,
      status: z.string().describe('offer, ringing, accept, reject, timeout or terminate.'),
      is_video: z.boolean(),
      is_group: z.boolean(),
      timestamp: unixSeconds,
    }),
  },
  group_update: {
    when: 'group_update is emitted when the subject, description, picture or a setting of a group changes, or a group is created.',
    data: z.object({
      group: jid,
      by: jid.nullable(),
      change: z
        .string()
        .describe(
          'subject, description, picture, announce, locked, ephemeral, invite, join_approval, member_add or created.',
        ),
      value: z.string().nullable(),
      timestamp: unixSeconds,
    }),
  },
  group_participants: {
    when: 'group_participants is emitted when people join or leave a group, or become admins or members.',
    data: z.object({
      group: jid,
      by: jid.nullable(),
      action: z.enum(['add', 'remove', 'leave', 'promote', 'demote']),
      participants: z.array(member),
      timestamp: unixSeconds,
    }),
  },
  group_join_request: {
    when: 'group_join_request is emitted when somebody asks to join a group, or such a request ends.',
    data: z.object({ group: jid, jid, action: z.enum(['created', 'revoked', 'rejected']), timestamp: unixSeconds }),
  },
  contact_update: {
    when: "contact_update is emitted when a contact's name, picture or about text changes.",
    data: z.object({
      jid,
      name: z.string().nullable(),
      picture: z.enum(['changed', 'removed']).nullable(),
      about: z.string().nullable(),
    }),
  },
  session_status: {
    when: 'session_status is emitted when the status of the session changes.',
    data: z.object({ status: z.string(), previous: z.string().nullable(), reason: statusReason }),
  },
  session_pacing: {
    when: 'session_pacing is emitted when WhatsApp refuses a message in a way that holds others back for a while.',
    data: z.object({
      kind: z.enum(['new_chats', 'slow_down']).describe('`new_chats`: none can be begun; `slow_down`: all go slower.'),
      code: z.string().describe("WhatsApp's own code: 463 or 429."),
      until: unixSeconds,
      count: z.int().describe('How many times in a row; the time doubles with each.'),
      reason: statusReason,
    }),
  },
  session_restarted: {
    when: "session_restarted is emitted when the session's process has ended unplanned and was started again.",
    data: z.object({ cause: z.string(), detail: z.string(), restarts: z.int() }),
  },
  webhook_disabled: {
    when: "webhook_disabled is emitted on the session's other webhooks when one was disabled because it kept failing.",
    data: z.object({ webhook_id: z.string(), url: z.string(), reason: statusReason }),
  },
  bulk_progress: {
    when: 'bulk_progress is emitted while a bulk is under way and its counts have changed, at most once a second.',
    data: bulkData,
  },
  bulk_finished: {
    when: 'bulk_finished is emitted when a bulk has come to its end, or was cancelled.',
    data: bulkData,
  },
  test: {
    when: 'test is emitted to one webhook, whatever it subscribed to, when somebody asks for a test delivery.',
    data: z.object({ webhook_id: z.string(), message: z.string() }),
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
