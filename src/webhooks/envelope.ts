import type { EventEnvelope } from '../contract/events.ts';
import type { ClaimedDelivery } from '../store/store.ts';

/** The body of a delivery, serialized once: the same bytes are signed and sent. */
export function encodeEnvelope(event: ClaimedDelivery['event']): Buffer {
  const envelope: Omit<EventEnvelope, 'event'> & { readonly event: string } = {
    id: event.id,
    event: event.name,
    session_id: event.session,
    timestamp: Math.floor(event.at / 1000),
    sequence: event.sequence,
    data: event.data,
  };
  return Buffer.from(JSON.stringify(envelope), 'utf8');
}
