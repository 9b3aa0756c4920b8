/** A child as the sessions in it show it. */
import { z } from 'zod';
import { unixSeconds } from '../schemas.ts';

export const childState = z.enum(['stopped', 'starting', 'running', 'stopping', 'backoff', 'crash_loop', 'blocked']);

export const childResource = z.object({
  pid: z.int().nullable(),
  state: childState,
  memory_bytes: z.int().nullable().describe('Private memory of the child (RssAnon and swap).'),
  memory_cap_bytes: z.int(),
  memory_warning: z
    .string()
    .nullable()
    .describe('Set while the child grows again soon after it was replaced for that, with what grows.'),
  sessions: z.int().describe('Sessions that live in the child, this one included.'),
  restarts: z.int(),
  last_exit: z.object({ cause: z.string(), at: unixSeconds, detail: z.string() }).nullable(),
});
