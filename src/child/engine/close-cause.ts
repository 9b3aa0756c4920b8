/** Reads the library's error at the end of a connection as a close cause. */
import { isBoom } from '@hapi/boom';
import type { CloseCause } from '../close-codes.ts';

/** `error` is what the library put into lastDisconnect: a Boom, another Error, or nothing when we ended it. */
export function closeCauseOf(error: unknown): CloseCause {
  const message = error instanceof Error ? error.message : '';
  if (!isBoom(error)) return { code: null, message, origin: 'local', conflict: null, banSeconds: null };
  const data: unknown = error.data;
  const attrs = attrsOf(data);
  return {
    code: error.output.statusCode,
    message,
    origin: originOf(message),
    conflict: message.includes('conflict') ? (attrs['type'] ?? 'replaced') : null,
    banSeconds: secondsOf(attrs['expire']),
  };
}

function originOf(message: string): CloseCause['origin'] {
  if (message === 'Connection Failure') return 'failure';
  if (message.startsWith('Stream Errored')) return 'stream_error';
  return 'transport';
}

/** The attributes of a `<failure>`, or those of the node inside a `<stream:error>`. */
function attrsOf(data: unknown): Readonly<Record<string, string | undefined>> {
  if (typeof data !== 'object' || data === null) return {};
  const source = 'attrs' in data && typeof data.attrs === 'object' && data.attrs !== null ? data.attrs : data;
  return Object.fromEntries(
    Object.entries(source).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

function secondsOf(text: string | undefined): number | null {
  const seconds = Number(text);
  return text !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
