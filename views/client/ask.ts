/** Talks to the gateway's own API with the cookie of this browser. */

export class AskError extends Error {
  override readonly name = 'AskError';
  readonly status: number;
  /** Field → what was expected. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(status: number, message: string, fields: ReadonlyMap<string, string> = new Map()) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON; form data goes as it is. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** `path` is below /api/v1. Answers the parsed body; throws an AskError with the gateway's own words. */
export async function ask(path: string, { method = 'GET', body, signal }: Ask = {}): Promise<unknown> {
  const isForm = body instanceof FormData;
  const answer = await fetch(`/api/v1${path}`, {
    method,
    credentials: 'same-origin',
    headers: {
      'x-csrf-token': formToken(),
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    throw new AskError(0, 'The gateway cannot be reached.');
  });
  const json: unknown = await answer.json().catch(() => null);
  if (answer.ok) return json;
  if (answer.status === 401) location.reload();
  throw failureOf(answer.status, json);
}

/** Proves that a request comes from a page of this gateway. */
export function formToken(): string {
  return document.querySelector('meta[name="form-token"]')?.getAttribute('content') ?? '';
}

/** The value at a path of keys in JSON; undefined where there is none. */
export function at(json: unknown, ...path: readonly (string | number)[]): unknown {
  let value: unknown = json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

export function listAt(json: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = at(json, ...path);
  return Array.isArray(value) ? value : [];
}

export const textAt = (json: unknown, ...path: readonly (string | number)[]): string => {
  const value = at(json, ...path);
  return typeof value === 'string' ? value : '';
};

export const numberAt = (json: unknown, ...path: readonly (string | number)[]): number | null => {
  const value = at(json, ...path);
  return typeof value === 'number' ? value : null;
};

function failureOf(status: number, json: unknown): AskError {
  const details = listAt(json, 'error', 'details').map(
    (detail) => [textAt(detail, 'field'), textAt(detail, 'expected')] as const,
  );
  const message = textAt(json, 'error', 'message') || `The gateway answered ${status}.`;
  const shown = details.map(([field, expected]) => `${field}: expected ${expected}`).join('; ');
  return new AskError(status, shown === '' ? message : `${message} ${shown}`, new Map(details));
}
