/** What paces a session, as it is configured, stored and changed by people. Types and their parsers; nothing with effects. */
import { z } from 'zod';

/** What a session may have otherwise than the gateway; absent keys follow the gateway's configuration. */
export const pacingOverrides = z
  .strictObject({
    enabled: z.boolean().optional().describe('false: nothing of this session is held back.'),
    messages_per_second: z.number().positive().max(1000).optional(),
    burst: z.int().min(1).max(100_000).optional().describe('Messages that may go out at once after a quiet time.'),
    new_chats_per_day: z
      .int()
      .min(0)
      .max(1_000_000)
      .optional()
      .describe('Chats that the session may begin in 24 hours; 0 for any number.'),
    warm_up_days: z.int().min(0).max(365).optional().describe('0: the session is not new to its number.'),
    warm_up_new_chats: z.int().min(1).max(1_000_000).optional().describe('New chats on the first day.'),
  })
  .meta({ id: 'PacingSettings' });
export type PacingOverrides = z.output<typeof pacingOverrides>;

/** What followed from a refusal of WhatsApp; times are unix milliseconds. */
export const strike = z.object({
  /** How many refusals have followed each other closely. */
  count: z.number(),
  since: z.number(),
  until: z.number(),
});
export type Strike = z.output<typeof strike>;

/** `newChats`: after 463, no new chats. `slowDown`: after 429, everything goes slower. */
export const backoff = z.object({ newChats: strike.nullable(), slowDown: strike.nullable() });
export type Backoff = z.output<typeof backoff>;
