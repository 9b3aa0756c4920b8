/** What paces a session, and what it holds back. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { pacingOverrides } from '../pacing.ts';
import { unixSeconds } from '../schemas.ts';

const strike = z.object({
  since: unixSeconds,
  until: unixSeconds,
  count: z.int().describe('How many times in a row; the time doubles with each.'),
});

/** The part that every session shows. */
export const pacingSummary = z
  .object({
    held: z
      .object({ count: z.int(), until: unixSeconds, reason: z.string() })
      .nullable()
      .describe('Accepted messages that wait, and when the first of them may go out.'),
    backoff: z.object({
      new_chats: strike.nullable().describe('WhatsApp refused a new chat (463): none is begun until then.'),
      slow_down: strike
        .nullable()
        .describe('WhatsApp said that messages come too fast (429): all go slower until then.'),
    }),
  })
  .meta({ id: 'PacingSummary' });

const pacingResource = pacingSummary
  .extend({
    enabled: z.boolean(),
    limits: z.object({
      messages_per_second: z.number(),
      burst: z.int(),
      new_chats_per_day: z.int().nullable().describe('In any 24 hours, as it is now; null for any number.'),
    }),
    settings: pacingOverrides.nullable().describe("What the session has otherwise than the gateway's configuration."),
    used_today: z.int().describe('Messages sent in the last 24 hours.'),
    new_chats_today: z.int().describe('Chats begun in the last 24 hours; replies to people who wrote are none.'),
    warm_up: z
      .object({ day: z.int(), days: z.int(), new_chats_per_day: z.int() })
      .nullable()
      .describe('While the session is new: its day, and how many chats it may begin today.'),
  })
  .meta({ id: 'Pacing' });

export const pacingOperations = {
  getPacing: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/pacing',
    tag: 'Sessions',
    scope: 'read',
    summary: 'Get what paces a session, and what it holds back',
    description: 'The limits are changed with PATCH /sessions/:id and `pacing`.',
    params: z.strictObject({}),
    result: pacingResource,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: {
      params: {},
      result: {
        enabled: true,
        limits: { messages_per_second: 1, burst: 20, new_chats_per_day: 37 },
        settings: null,
        used_today: 212,
        new_chats_today: 9,
        warm_up: { day: 4, days: 14, new_chats_per_day: 37 },
        held: null,
        backoff: {
          new_chats: { since: 1_767_225_600, until: 1_767_229_200, count: 1 },
          slow_down: null,
        },
      },
    },
  }),
} as const;
