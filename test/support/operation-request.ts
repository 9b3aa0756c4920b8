/** Writes params of an operation as the HTTP request that a client would make of them. */
import type { Operation } from '../../src/contract/operation.ts';

export interface OperationRequest {
  readonly method: string;
  readonly path: string;
  /** As it goes on the wire; null where there is none. */
  readonly raw: string | null;
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Path parameters are taken out of the params, or of the example where the params have none. */
export function operationRequest(operation: Operation, session: string, params: unknown): OperationRequest {
  const fields = isFields(params) ? params : {};
  const taken = new Set<string>();
  const path = operation.path.replace(/:(\w+)/g, (_match, name: string) => {
    if (name === 'id') return session;
    taken.add(name);
    const value = fields[name] ?? operation.example.params[name];
    return typeof value === 'string' && value !== '' ? encodeURIComponent(value) : '%00';
  });
  const rest = isFields(params) ? Object.entries(params).filter(([name]) => !taken.has(name)) : [];
  const url = `/api/v1${path}`;
  if (operation.method === 'POST' || operation.method === 'PATCH') {
    const raw = JSON.stringify(isFields(params) ? fromEntries(rest) : params);
    return { method: operation.method, path: url, raw };
  }
  const query = rest.flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (each: unknown) => `${encodeURIComponent(name)}=${encodeURIComponent(textOf(each))}`,
    ),
  );
  return { method: operation.method, path: query.length === 0 ? url : `${url}?${query.join('&')}`, raw: null };
}

/** Also a field of the name `__proto__` is one. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): unknown {
  const object = {};
  for (const [name, value] of entries) Object.defineProperty(object, name, { value, enumerable: true });
  return object;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value));
