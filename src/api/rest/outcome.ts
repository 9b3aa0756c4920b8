/** What an operation's result comes to in HTTP. Pure. */
import { WardenError } from '../../contract/errors.ts';
import { operations, type OperationName } from '../../contract/index.ts';
import type { Operation } from '../../contract/operation.ts';

export interface HttpOutcome {
  readonly status: number;
  readonly body: unknown;
}

/** What the result schema lets through, and nothing else; throws `internal_error` when it lets nothing through. */
export function outcomeOf(name: OperationName, result: unknown): HttpOutcome {
  const operation: Operation = operations[name];
  const parsed = operation.result.safeParse(result);
  if (!parsed.success) throw new WardenError('internal_error', { cause: parsed.error });
  return { status: statusOf(name, parsed.data), body: parsed.data };
}

/** The same with null in place of the secrets that are shown once: what may be kept of it. */
export function withoutSecrets(
  { status, body }: HttpOutcome,
  { shownOnce = [] }: Pick<Operation, 'shownOnce'>,
): HttpOutcome {
  return { status, body: shownOnce.reduce((kept, field) => withNull(kept, field.split('.')), body) };
}

function withNull(value: unknown, [step = '', ...rest]: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return value;
  return { ...value, [step]: rest.length === 0 ? null : withNull(Reflect.get(value, step), rest) };
}

/** The HTTP status of a result. */
export function statusOf(name: OperationName, result: unknown): number {
  return operations[name].runs === 'send' && isOnItsWay(result) ? 202 : operations[name].status;
}

const isOnItsWay = (data: unknown): boolean =>
  typeof data === 'object' &&
  data !== null &&
  'status' in data &&
  (data.status === 'pending' || data.status === 'scheduled');
