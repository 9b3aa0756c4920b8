/** How events, notices and positions are written on a stream of Server-Sent Events. */
import type { StreamNoticeName } from '../../contract/stream-notices.ts';
import type { StoredEvent } from '../../store/events-store.ts';
import { encodeEnvelope } from '../../webhooks/envelope.ts';

const retryMs = 3_000;

/** An event with the body that webhooks get; its id is the position to go on from. */
export function eventFrame(event: StoredEvent, id: string): Buffer {
  const head = `id: ${id}\nevent: ${event.name}\ndata: `;
  return Buffer.concat([Buffer.from(head), encodeEnvelope(event), Buffer.from('\n\n')]);
}

/** A notice has the envelope's form, and no id: nobody can go on from it. `at` in unix milliseconds. */
export function noticeFrame(
  event: StreamNoticeName,
  { session, at, data = {} }: { readonly session: string | null; readonly at: number; readonly data?: object },
): Buffer {
  const timestamp = Math.floor(at / 1_000);
  const envelope = { id: null, event, session_id: session, timestamp, sequence: null, data };
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(envelope)}\n\n`);
}

/** Tells a client where to go on from without an event: an id alone is remembered and not dispatched. */
export const positionFrame = (id: string): Buffer => Buffer.from(`id: ${id}\n\n`);

export const retryFrame = (): Buffer => Buffer.from(`retry: ${retryMs}\n\n`);

/** What parsers skip. */
export const commentFrame = (comment: string): Buffer => Buffer.from(`: ${comment}\n\n`);

/** A whole stream that only asks its reader to come back: a client that gives up on errors does not give up on this. */
export const comeBackLater = (reason: string): Buffer => Buffer.concat([retryFrame(), commentFrame(reason)]);

/** Whether a client has said that it reads streams, as every EventSource does. */
export const readsStreams = (accept: string | undefined): boolean => /\btext\/event-stream\b/i.test(accept ?? '');
