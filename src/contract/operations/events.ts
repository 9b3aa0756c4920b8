/** Events as they happen, for those who would rather listen than be called. */
import { z } from 'zod';
import { eventNames } from '../events.ts';
import { defineOperation } from '../operation.ts';
import { sessionId, unixSeconds } from '../schemas.ts';
import { sessionNoticeNames } from '../stream-notices.ts';

const mostListed = 100;

/** A parameter that may be repeated, or hold several values with commas between them. */
function listOf<Item extends z.ZodType>(item: Item, schema: object) {
  const split = (given: unknown): unknown =>
    (Array.isArray(given) ? given : [given]).flatMap((each: unknown) =>
      typeof each === 'string' ? each.split(',').map((part) => part.trim()) : [each],
    );
  return z
    .preprocess(split, z.array(item).min(1).max(mostListed))
    .meta({ override: { type: 'array', items: { type: 'string', ...schema } } });
}

const streamedNames = [...eventNames, ...sessionNoticeNames, 'all'] as const;

const eventFilter = listOf(z.enum(streamedNames), { enum: [...streamedNames] })
  .optional()
  .describe('Only these events; several by repeating it or with commas.');
const lastEventId = z
  .string()
  .max(100)
  .optional()
  .describe('Goes on after this id, for clients that cannot send the header `Last-Event-ID`; that one wins.');

/** What stands in the `data` of each message: the body that webhooks get. */
export const streamedEvent = z
  .object({
    id: z.string().nullable().describe('As in webhooks; null for a notice.'),
    event: z.string(),
    session_id: z.string().nullable(),
    timestamp: unixSeconds,
    sequence: z.int().nullable().describe('Grows by one per event of a session; null for a notice.'),
    data: z.unknown(),
  })
  .meta({ id: 'StreamedEvent' });

const example: z.output<typeof streamedEvent> = {
  id: 'evt_01JGQ0000000000000000000',
  event: 'message_sent',
  session_id: 'support',
  timestamp: 1_767_225_600,
  sequence: 1042,
  data: {
    message_id: '3EB0C431C26A1916E07E',
    chat: '15551234567@s.whatsapp.net',
    type: 'text',
    timestamp: 1_767_225_600,
  },
};

const howItGoesOn =
  'Server-Sent Events: `id` is where to go on from, `event` the name, `data` the body that webhooks get. ' +
  'Begins now, or after the id in `Last-Event-ID`; a message `stream_reset` says that some events after that id are ' +
  'not stored any more. `qr_code` and `pair_code` are told to tokens with the scope `manage` only.';

export const eventOperations = {
  streamSessionEvents: defineOperation({
    runs: 'stream',
    method: 'GET',
    path: '/sessions/:id/events',
    tag: 'Events',
    scope: 'read',
    summary: "Stream a session's events",
    description: `${howItGoesOn} Ends with \`session_deleted\` when the session is deleted.`,
    params: z.strictObject({ event: eventFilter, last_event_id: lastEventId }),
    result: streamedEvent,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['rate_limited'],
    example: { params: { event: 'message,message_sent' }, result: example },
  }),
  streamEvents: defineOperation({
    runs: 'stream',
    method: 'GET',
    path: '/events',
    tag: 'Events',
    scope: 'read',
    summary: 'Stream the events of all sessions',
    description:
      `${howItGoesOn} Of all sessions that the token may see, in one order. Also tells \`session_created\`, ` +
      '`session_updated` and `session_deleted`, which are not stored: fetch the sessions after a reconnection.',
    params: z.strictObject({
      session: listOf(sessionId, {})
        .optional()
        .describe('Only these sessions; several by repeating it or with commas.'),
      event: eventFilter,
      last_event_id: lastEventId,
    }),
    result: streamedEvent,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['rate_limited', 'session_not_found'],
    example: { params: { session: 'support' }, result: example },
  }),
} as const;
