/** How values of the contract travel to and from columns. */
import { z } from 'zod';
import { parseMessageId, parseSessionId } from '../contract/ids.ts';

export { textOf } from './text-of.ts';

/** Unix milliseconds as the argument of `to_timestamp`. */
export function timestampOf(unixMs: number): number;
export function timestampOf(unixMs: number | null | undefined): number | null;
export function timestampOf(unixMs: number | null | undefined): number | null {
  return unixMs === null || unixMs === undefined ? null : unixMs / 1_000;
}

/** Bytes as the driver takes them, without copying. */
export function bytesOf(value: Uint8Array): Buffer;
export function bytesOf(value: Uint8Array | null): Buffer | null;
export function bytesOf(value: Uint8Array | null): Buffer | null {
  return value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

export const bytesColumn = z.instanceof(Uint8Array);

export const sessionIdColumn = z.string().transform((text, context) => {
  const id = parseSessionId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'not a session id' });
  return z.NEVER;
});

export const messageIdColumn = z.string().transform((text, context) => {
  const id = parseMessageId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'not a message id' });
  return z.NEVER;
});
