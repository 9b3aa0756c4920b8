/** Pure. Reading the JSON of protobufs, of which nothing is certain: bytes are base64, 64-bit numbers are text. */

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object; none when it is something else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null;
}

/** Empty when there are none. */
export function bytesOf(value: unknown): Buffer {
  return Buffer.from(textOf(value) ?? '', 'base64');
}
