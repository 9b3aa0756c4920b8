/** What of an operation goes into the audit log. Pure. */
import { errorCatalogue, toWardenError } from '../../contract/errors.ts';
import { operations, type OperationName } from '../../contract/index.ts';
import type { AuditEntry } from '../../store/audit-store.ts';
import type { Caller } from '../caller.ts';

const longestTarget = 200;

/** Whether it can change anything; some questions are asked by POST. */
export const isAudited = (name: OperationName): boolean =>
  operations[name].method !== 'GET' && operations[name].scope !== 'read';

/** Their answer, or else their request, names the session. */
const createsSession = new Set<OperationName>(['createSession', 'importSession', 'importBaileysSession']);

interface Deed {
  readonly name: OperationName;
  readonly caller: Caller;
  /** The session of the path. */
  readonly session: string | null;
  readonly input: unknown;
  /** What the operation answered; undefined when it failed. */
  readonly result?: unknown;
  readonly status: number;
}

export function auditEntryOf({ name, caller, session, input, result, status }: Deed): Omit<AuditEntry, 'at'> {
  const created = idIn(result);
  return {
    principal: caller.principal.id,
    operation: name,
    session: session ?? (createsSession.has(name) ? (created ?? textIn(input, 'id')) : null),
    target: targetOf(name, input) ?? (createsSession.has(name) ? null : created),
    address: caller.address,
    requestId: caller.requestId,
    status,
  };
}

/** The HTTP status that an error is answered with. */
export const statusOfError = (error: unknown): number => errorCatalogue[toWardenError(error).code].status;

/** The ids in the path, beside the session's. */
function targetOf(name: OperationName, input: unknown): string | null {
  const names = [...operations[name].path.matchAll(/:(\w+)/g)].map(([, param = '']) => param);
  const ids = names.filter((param) => param !== 'id').flatMap((param) => textIn(input, param) ?? []);
  return ids.length === 0 ? null : ids.join(' ').slice(0, longestTarget);
}

const idIn = (result: unknown): string | null => textIn(result, 'id') ?? textIn(result, 'message_id');

function textIn(value: unknown, key: string): string | null {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' ? found.slice(0, longestTarget) : null;
}
