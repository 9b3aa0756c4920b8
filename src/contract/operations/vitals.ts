/** What people can see over time: of processes for the last hour, of messages for the last days. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { unixSeconds } from '../schemas.ts';

const bytes = z.int().min(0).nullable();
const count = z.int().min(0);
const hours = z.coerce.number().int().min(1).max(168).default(24).describe('How far back, at most a week.');

const trafficResult = z.object({
  bucket_seconds: z.int(),
  buckets: z
    .array(z.object({ at: unixSeconds.describe('Begin.'), received: count, sent: count, failed: count }))
    .describe('Oldest first, without gaps.'),
});

const read = { runs: 'gateway', method: 'GET', status: 200, deadlineMs: 10_000, idempotent: false } as const;
const exampleTraffic = { bucket_seconds: 3600, buckets: [{ at: 1_767_225_600, received: 12, sent: 9, failed: 0 }] };

export const vitalsOperations = {
  getVitals: defineOperation({
    ...read,
    path: '/sessions/:id/vitals',
    tag: 'Sessions',
    scope: 'read',
    summary: "Get what a session's process used over the last hour",
    description: 'Samples since the start of the gateway. Sessions that share a process share its figures.',
    params: z.strictObject({}),
    result: z.object({
      interval_seconds: z.int(),
      memory_cap_bytes: bytes,
      points: z
        .array(
          z.object({
            at: unixSeconds,
            memory_bytes: bytes,
            cpu_percent: z.number().nullable().describe('Of one core.'),
            loop_delay_ms: z.number().nullable().describe('How late its event loop was, 99th percentile.'),
          }),
        )
        .describe('Oldest first.'),
    }),
    errors: [],
    example: {
      params: {},
      result: {
        interval_seconds: 15,
        memory_cap_bytes: 201_326_592,
        points: [{ at: 1_767_225_600, memory_bytes: 15_728_640, cpu_percent: 0.1, loop_delay_ms: 2 }],
      },
    },
  }),
  getTraffic: defineOperation({
    ...read,
    path: '/sessions/:id/traffic',
    tag: 'Sessions',
    scope: 'read',
    summary: 'Get how many messages came and went, hour by hour',
    params: z.strictObject({ hours }),
    result: trafficResult,
    errors: [],
    example: { params: { hours: 24 }, result: exampleTraffic },
  }),
  getFleetTraffic: defineOperation({
    ...read,
    path: '/stats/traffic',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Get how many messages came and went in all sessions, hour by hour',
    params: z.strictObject({ hours }),
    result: trafficResult,
    errors: [],
    example: { params: { hours: 24 }, result: exampleTraffic },
  }),
  getFleetHistory: defineOperation({
    ...read,
    path: '/stats/history',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Get what the processes of the gateway used over the last hour',
    description: 'Private memory by kind of process, sampled since the start of the gateway.',
    params: z.strictObject({}),
    result: z.object({
      interval_seconds: z.int(),
      limit_bytes: z.int().describe('Of the container, or else of the machine.'),
      points: z
        .array(
          z.object({
            at: unixSeconds,
            supervisor_bytes: bytes,
            children_bytes: bytes,
            postgres_bytes: bytes,
            simulator_bytes: bytes,
            connected: count.nullable().describe('Sessions with an open link.'),
          }),
        )
        .describe('Oldest first.'),
    }),
    errors: [],
    example: {
      params: {},
      result: {
        interval_seconds: 15,
        limit_bytes: 2_147_483_648,
        points: [
          {
            at: 1_767_225_600,
            supervisor_bytes: 83_886_080,
            children_bytes: 15_728_640,
            postgres_bytes: 31_457_280,
            simulator_bytes: null,
            connected: 1,
          },
        ],
      },
    },
  }),
} as const;
