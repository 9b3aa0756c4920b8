/**
 * What travels over a port, and reading it. Both ends are our own code of the same protocol version, which the hello has
 * checked, so bodies are trusted to have the shape that the contract gives them.
 */
import { errorCatalogue, type ErrorCode, type PlainError } from './errors.ts';

/** What travels. `kind` and never `cmd`: Node reserves messages with `cmd: 'NODE_…'`. */
export type Frame =
  | { readonly kind: 'request'; readonly id: number; readonly name: string; readonly body: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly body: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'notice'; readonly name: string; readonly body: unknown };

export interface Port {
  /**
   * Hands a frame over; calls back when it has left this process, or with the error that prevented it. Throws when the
   * frame cannot be serialized.
   */
  send(frame: Frame, done: (error: Error | null) => void): void;
  onFrame(listener: (frame: unknown) => void): void;
  onClose(listener: () => void): void;
}

/** Reads what came over a port; null for what is not a frame. */
export function parseFrame(value: unknown): Frame | null {
  if (!isRecord(value)) return null;
  const { kind, id, name, body } = value;
  switch (kind) {
    case 'request':
      return isId(id) && typeof name === 'string' ? { kind, id, name, body } : null;
    case 'answer':
      return isId(id) ? { kind, id, body } : null;
    case 'error': {
      const error = parsePlainError(value['error']);
      return isId(id) && error !== null ? { kind, id, error } : null;
    }
    case 'notice':
      return typeof name === 'string' ? { kind, name, body } : null;
    default:
      return null;
  }
}

/** The entry of a handler table by the name that a frame carries; null for a name that is not in it. */
export function handlerNamed(table: object, name: string): ((body: unknown) => unknown) | null {
  if (!Object.hasOwn(table, name)) return null;
  const entry: unknown = Reflect.get(table, name);
  return isHandler(entry) ? entry : null;
}

/** Takes an answer for what the contract promises for its request. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names what is trusted, in the one place
export function isTrustedAnswer<Answer>(body: unknown): body is Answer {
  return body !== undefined;
}

const isHandler = (entry: unknown): entry is (body: unknown) => unknown => typeof entry === 'function';

function parsePlainError(value: unknown): PlainError | null {
  if (!isRecord(value)) return null;
  const { code, message, details, retryAfterMs } = value;
  if (typeof code !== 'string' || typeof message !== 'string') return null;
  return {
    code: isErrorCode(code) ? code : 'internal_error',
    message,
    ...(Array.isArray(details) ? { details } : {}),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code);
const isId = (id: unknown): id is number => typeof id === 'number' && Number.isSafeInteger(id) && id > 0;
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
