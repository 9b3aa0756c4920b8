/** What people can see of the processes behind their sessions. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { unixSeconds } from '../schemas.ts';
import { childState } from './child-resource.ts';

const bytes = z.int().min(0);
const milliseconds = z.int().min(0);

const childExit = z
  .object({
    at: unixSeconds,
    cause: z.string().describe('For example `memory`, `heap_oom`, `watchdog`, `bug`, `external_kill`, `deaf`.'),
    detail: z.string().describe('The cause in words, with what to do about it.'),
    pid: z.int().nullable(),
    exit_code: z.int().nullable(),
    signal: z.string().nullable(),
    uptime_ms: milliseconds,
    memory_cap_bytes: bytes,
    memory: z
      .array(
        z.object({
          at: unixSeconds,
          private_bytes: bytes,
          heap_bytes: bytes.nullable(),
          external_bytes: bytes.nullable(),
        }),
      )
      .describe('The last samples before the end, oldest first; the first of all is kept for comparison.'),
    growth: z.enum(['heap', 'external', 'native']).nullable().describe('Where memory grew most.'),
    stderr: z.string().describe('The last words of the process, without keys and phone numbers.'),
    action: z
      .enum(['restarted', 'retried_slowly', 'given_up', 'stopped', 'reconnected'])
      .describe('What followed: `reconnected` means that the process went on and only the link was made anew.'),
    delay_ms: milliseconds.nullable().describe('How long the next start was put off.'),
    culprits: z
      .object({ sessions: z.array(z.string()), grounds: z.string() })
      .nullable()
      .describe('Which sessions of the process are likely to have brought it down, and on what that rests.'),
    moved_to_own_child: z.boolean().describe('The session lives in a process of its own since.'),
    back_at: unixSeconds.nullable().describe('When the session was connected, or waited for its pairing, again.'),
  })
  .meta({ id: 'ChildExit' });

const processMemory = z.object({
  processes: z.int(),
  private_bytes: bytes.nullable().describe('Null where the operating system does not tell.'),
  pss_bytes: bytes.nullable().describe('The fair share of all memory, shared pages divided by their users.'),
});

const exampleExit: z.output<typeof childExit> = {
  at: 1_767_225_600,
  cause: 'memory',
  detail: 'The process outgrew its memory cap and was ended.',
  pid: 4242,
  exit_code: 86,
  signal: null,
  uptime_ms: 86_400_000,
  memory_cap_bytes: 201_326_592,
  memory: [
    { at: 1_767_139_205, private_bytes: 15_728_640, heap_bytes: 8_388_608, external_bytes: 2_097_152 },
    { at: 1_767_225_599, private_bytes: 163_577_856, heap_bytes: 9_437_184, external_bytes: 146_800_640 },
  ],
  growth: 'external',
  stderr: '',
  action: 'restarted',
  delay_ms: 1000,
  culprits: { sessions: ['support'], grounds: 'It is the only session of its process.' },
  moved_to_own_child: false,
  back_at: 1_767_225_602,
};

export const supervisionOperations = {
  listChildExits: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/children',
    tag: 'Sessions',
    scope: 'read',
    summary: "List why a session's processes ended",
    description:
      'Newest first: cause, evidence, what was done, and when the session was back. The latest 200 are kept.',
    params: z.strictObject({
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z.string().max(200).optional(),
    }),
    result: z.object({ exits: z.array(childExit), total: z.int(), next_cursor: z.string().nullable() }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: { exits: [exampleExit], total: 1, next_cursor: null } },
  }),
  getStats: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/stats',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Get what the gateway and its processes use',
    params: z.strictObject({}),
    result: z.object({
      sessions: z.object({ hosted: z.int(), connected: z.int() }),
      processes: z.object({
        supervisor: processMemory,
        children: processMemory,
        postgres: processMemory.nullable().describe('The embedded one; null for an external database.'),
        simulator: processMemory.nullable().describe('The sandbox; null while no sandbox session runs.'),
        total: processMemory,
      }),
      children: z.array(
        z.object({
          id: z.string(),
          pid: z.int().nullable(),
          state: childState,
          sandbox: z.boolean(),
          isolated: z.boolean(),
          sessions: z.array(z.string()),
          memory_bytes: bytes.nullable(),
          memory_cap_bytes: bytes,
          pss_bytes: bytes.nullable(),
          heap_bytes: bytes.nullable(),
          external_bytes: bytes.nullable(),
          loop_delay_p99_ms: milliseconds.nullable(),
          restarts: z.int(),
        }),
      ),
      machine: z.object({
        limit_bytes: bytes.describe('What caps are measured by: of the container, or else of the machine.'),
        limited_by: z.enum(['container', 'machine']),
        total_bytes: bytes,
        free_bytes: bytes,
      }),
      admission: z.object({
        caps_bytes: bytes.describe('The sum of the memory caps of all processes.'),
        budget_bytes: bytes.describe('What that sum may come to: the limit times OVERCOMMIT, less the reserve.'),
        free_bytes: z.int().describe('What new processes may still ask for; negative when caps were raised meanwhile.'),
        overcommit: z.number(),
        reserve_bytes: bytes,
        max_sessions: z.int().nullable(),
      }),
      breaker: z.object({
        state: z.enum(['closed', 'paused', 'probing']).describe('`closed`: starts go on.'),
        deaths_in_window: z.int(),
        paused_for_ms: milliseconds.nullable(),
        trips: z.int(),
      }),
      gates: z.object({
        starting: z.int(),
        waiting_to_start: z.int(),
        waiting_to_connect: z.int(),
        start_concurrency: z.int(),
        connect_rate: z.number().describe('Connections to WhatsApp per second.'),
      }),
    }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: {
      params: {},
      result: {
        sessions: { hosted: 1, connected: 1 },
        processes: {
          supervisor: { processes: 1, private_bytes: 83_886_080, pss_bytes: 94_371_840 },
          children: { processes: 1, private_bytes: 15_728_640, pss_bytes: 20_971_520 },
          postgres: { processes: 12, private_bytes: 31_457_280, pss_bytes: 52_428_800 },
          simulator: null,
          total: { processes: 14, private_bytes: 131_072_000, pss_bytes: 167_772_160 },
        },
        children: [
          {
            id: 'child-1',
            pid: 4242,
            state: 'running',
            sandbox: false,
            isolated: false,
            sessions: ['support'],
            memory_bytes: 15_728_640,
            memory_cap_bytes: 201_326_592,
            pss_bytes: 20_971_520,
            heap_bytes: 8_388_608,
            external_bytes: 2_097_152,
            loop_delay_p99_ms: 21,
            restarts: 0,
          },
        ],
        machine: {
          limit_bytes: 2_147_483_648,
          limited_by: 'container',
          total_bytes: 8_589_934_592,
          free_bytes: 1_610_612_736,
        },
        admission: {
          caps_bytes: 201_326_592,
          budget_bytes: 8_321_499_136,
          free_bytes: 8_120_172_544,
          overcommit: 4,
          reserve_bytes: 268_435_456,
          max_sessions: null,
        },
        breaker: { state: 'closed', deaths_in_window: 0, paused_for_ms: null, trips: 0 },
        gates: { starting: 0, waiting_to_start: 0, waiting_to_connect: 0, start_concurrency: 2, connect_rate: 2 },
      },
    },
  }),
} as const;
