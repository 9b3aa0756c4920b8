/** Talks to the simulator for the sandbox routes: checks what it answers and turns its refusals into ours. */
import { z } from 'zod';
import { errorCatalogue, WardenError, type ErrorCode } from '../contract/errors.ts';
import type { SandboxPort } from './sandbox-port.ts';

export interface ControlRequest<Answer> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** What a success must look like; unknown fields are dropped. */
  readonly answer: z.ZodType<Answer>;
}

const refusalSchema = z.object({ error: z.object({ type: z.string(), message: z.string() }) });

/** Refusals of the simulator that mean the same to the user as they do to it. */
const sharedCodes: readonly ErrorCode[] = [
  'message_not_found',
  'contact_not_found',
  'wrong_pair_code',
  'not_paired',
  'unprocessable',
];

/**
 * Throws the simulator's own refusal when it is about the request, `unprocessable` for its other 422s, and
 * `sandbox_unavailable` for everything else.
 */
export async function control<Answer>(sandbox: SandboxPort, request: ControlRequest<Answer>): Promise<Answer> {
  const { status, body } = await sandbox.control(request.method, request.path, request.body).catch((cause: unknown) => {
    throw cause instanceof WardenError ? cause : new WardenError('sandbox_unavailable', { cause });
  });
  if (status < 200 || status >= 300) throw refusal(status, body);
  const parsed = request.answer.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new WardenError('sandbox_unavailable', {
    details: parsed.error.issues.slice(0, 10).map((issue) => ({
      field: issue.path.map(String).join('.'),
      expected: issue.message,
    })),
    cause: parsed.error,
  });
}

function refusal(status: number, body: unknown): WardenError {
  const parsed = refusalSchema.safeParse(body);
  const message = parsed.success ? parsed.data.error.message : `The simulator answered ${status}.`;
  const type = parsed.success ? parsed.data.error.type : null;
  const shared = sharedCodes.find((code) => code === type);
  if (shared !== undefined && errorCatalogue[shared].status === status) return new WardenError(shared, { message });
  // What WhatsApp would forbid to a simulated person is nothing that the caller's token could change.
  if (status === 422 || status === 403) return new WardenError('unprocessable', { message });
  return new WardenError('sandbox_unavailable', {
    details: [{ field: 'sandbox', expected: 'success', received: `${status}: ${message}`.slice(0, 200) }],
  });
}
