/** Who has changed what. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { unixSeconds } from '../schemas.ts';

export const auditEntry = z
  .object({
    at: unixSeconds,
    principal: z.string().nullable().describe('`superadmin`, or the id of a token; null for somebody unknown.'),
    principal_name: z.string().nullable().describe('The name of that token.'),
    operation: z.string().describe('The operationId of this document, or what was done in the dashboard alone.'),
    session_id: z.string().nullable(),
    target: z
      .string()
      .nullable()
      .describe('What of the session it was about: the id of a message, a webhook, a token.'),
    address: z.string(),
    request_id: z.string(),
    status: z.int().describe('The HTTP status of the outcome.'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditResource = z.output<typeof auditEntry>;

const text = z.string().min(1).max(100);
const seconds = z.coerce.number().int().min(0).max(9_999_999_999);

export const auditOperations = {
  listAudit: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/audit',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Who changed what, the latest first',
    description:
      'Every request that changes something, also when it was refused; never its body. Entries are written in batches, some hundred milliseconds later.',
    params: z.strictObject({
      session: text.optional(),
      principal: text.optional(),
      operation: text.optional(),
      from: seconds.optional().describe('Unix time in seconds.'),
      to: seconds.optional().describe('Unix time in seconds; entries of this second and later are left out.'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(200).optional(),
    }),
    result: z.object({ entries: z.array(auditEntry), total: z.int(), next_cursor: z.string().nullable() }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: {
      params: { session: 'support', limit: 1 },
      result: {
        entries: [
          {
            at: 1_767_225_600,
            principal: 'superadmin',
            principal_name: null,
            operation: 'createSession',
            session_id: 'support',
            target: null,
            address: '127.0.0.1',
            request_id: 'req_01JGQ0000000000000000000',
            status: 201,
          },
        ],
        total: 1,
        next_cursor: null,
      },
    },
  }),
} as const;
