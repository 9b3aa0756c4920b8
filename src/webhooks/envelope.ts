/** Pure: the body of a delivery. */
import type { EventEnvelope } from '../contract/events.ts';
import type { ClaimedDelivery } from '../store/webhook-records.ts';

/** What a webhook receives; the name is what the store has, which an older gateway may have written. */
export type SentEnvelope = Omit<EventEnvelope, 'event'> & { readonly event: string };

export function envelopeOf(event: ClaimedDelivery['event']): SentEnvelope {
  return {
    id: event.id,
    event: event.name,
    session_id: event.session,
    timestamp: Math.floor(event.at / 1000),
    sequence: event.sequence,
    data: event.data,
  };
}

/** The body of a delivery, serialized once: the same bytes are signed and sent. */
export function encodeEnvelope(event: ClaimedDelivery['event']): Buffer {
  return Buffer.from(JSON.stringify(envelopeOf(event)), 'utf8');
}
