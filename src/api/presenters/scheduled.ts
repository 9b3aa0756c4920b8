/** What leaves the process of a scheduled message, field by field. Pure. */
import type { Result } from '../../contract/index.ts';
import type { ScheduledRow } from '../../store/scheduled-store.ts';
import type { SessionRow } from '../../store/store.ts';
import { typeOfOperation } from './message.ts';
import { unixSecondsOf } from './session.ts';

export function presentScheduled(row: ScheduledRow): Result<'rescheduleMessage'> {
  const { media } = row;
  return {
    message_id: row.id,
    to: row.chat,
    type: typeOfOperation(row.operation),
    body: row.body,
    media: media === null ? null : { mimetype: media.mimetype, file_length: media.bytes, file_name: media.fileName },
    send_at: unixSecondsOf(row.dueAt),
    created_at: unixSecondsOf(row.createdAt),
  };
}

/** As the answer to the request that schedules it. */
export function presentScheduledSend(
  row: Pick<ScheduledRow, 'id' | 'chat' | 'createdAt' | 'dueAt'>,
): Result<'sendText'> {
  return {
    success: true,
    message_id: row.id,
    to: row.chat,
    timestamp: unixSecondsOf(row.createdAt),
    status: 'scheduled',
    send_at: unixSecondsOf(row.dueAt),
  };
}

/** As a message among others, before it is one. */
export function presentScheduledMessage(row: ScheduledRow, session: SessionRow): Result<'getMessage'> {
  return {
    message_id: row.id,
    chat: row.chat,
    from: session.device?.jid ?? row.chat,
    is_from_me: true,
    type: typeOfOperation(row.operation),
    body: row.body,
    timestamp: unixSecondsOf(row.createdAt),
    status: 'scheduled',
    error_code: null,
    edited_at: null,
    deleted_at: null,
    media: null,
  };
}

export function presentScheduledTimeline(row: ScheduledRow): Result<'getMessageTimeline'> {
  const step = { status: 'scheduled', at: unixSecondsOf(row.createdAt), error_code: null };
  return { message_id: row.id, status: 'scheduled', events: [step] };
}
