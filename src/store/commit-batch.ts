/** What one transaction of the group commit does with the writes that it carries. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { assertNever } from '../contract/assert-never.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionEvent } from '../contract/events.ts';
import type { MessageRecord, RecordItem, ToSupervisor } from '../contract/ipc.ts';
import { appendEvents, type NewEvent } from './event-log.ts';
import type { KeyWrite } from './key-changes.ts';
import { writeKeyChanges } from './credentials.ts';
import { isToldOfUnknown } from './message-status.ts';
import { fillSending, insertMessages, StatusBook } from './message-writes.ts';

export type Write =
  | { readonly tag: 'keys'; readonly body: ToSupervisor['keys_set']['body'] }
  | { readonly tag: 'record'; readonly body: ToSupervisor['record']['body'] }
  | { readonly tag: 'sending'; readonly body: ToSupervisor['message_sending']['body'] }
  | { readonly tag: 'clear'; readonly body: ToSupervisor['credentials_clear']['body'] }
  | { readonly tag: 'emit'; readonly body: NewEvent }
  | {
      readonly tag: 'fail';
      readonly body: {
        readonly session: string;
        readonly id: string;
        readonly at: number;
        readonly errorCode: string | null;
        readonly event: SessionEvent | null;
      };
    };

/** What became of a write: null when it is done, else what its caller gets. */
export type Outcome = WardenError | null;

/**
 * Carries out writes in the order given, within the caller's transaction; answers one outcome for each. A write of an
 * old epoch gets `fenced` and changes nothing, whatever the others do.
 */
export async function commitBatch(
  transaction: CommonQueryMethods,
  writes: readonly Write[],
  newEventId: () => string,
): Promise<readonly Outcome[]> {
  const epochs = await lockSessions(transaction, [...new Set(writes.map((write) => write.body.session))]);
  const outcomes = writes.map((write) => refusal(write, epochs));
  const allowed = writes.filter((_, index) => outcomes[index] === null);

  await writeKeyChanges(transaction, allowed.flatMap(keyWritesOf));
  const inserted = await insertMessages(transaction, allowed.flatMap(messagesOf));
  const failedBefore = await fillSending(
    transaction,
    allowed.flatMap((write) =>
      write.tag === 'sending' ? [{ session: write.body.session, record: write.body.record }] : [],
    ),
  );
  const book = await StatusBook.load(transaction, allowed.flatMap(statusKeysOf));
  const events = allowed.flatMap((write) => applyWrite(write, inserted, book));
  await book.save(transaction);
  await appendEvents(transaction, events, newEventId);

  return writes.map((write, index) => {
    if (write.tag === 'sending' && failedBefore(write.body.session, write.body.record.id)) {
      return new WardenError('unprocessable', {
        message: 'The message has failed already; it must not be sent any more.',
      });
    }
    return outcomes[index] ?? null;
  });
}

/** Takes the sessions' rows until the end of the transaction, so that no epoch can be taken in between. */
async function lockSessions(
  transaction: CommonQueryMethods,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await transaction.any(sql.type(z.object({ id: z.string(), epoch: z.number() }))`
    select id, epoch from sessions where id = any (${sql.array(ids, 'text')}) order by id for no key update
  `);
  return new Map(rows.map((row) => [row.id, row.epoch]));
}

function refusal(write: Write, epochs: ReadonlyMap<string, number>): Outcome {
  const epoch = epochs.get(write.body.session);
  switch (write.tag) {
    case 'emit':
    case 'fail':
      return epoch === undefined ? new WardenError('session_not_found') : null;
    case 'keys':
    case 'record':
    case 'sending':
    case 'clear':
      return epoch === write.body.epoch ? null : new WardenError('fenced');
    default:
      return assertNever(write);
  }
}

function keyWritesOf(write: Write): readonly KeyWrite[] {
  const { session } = write.body;
  switch (write.tag) {
    case 'keys':
      return [{ tag: 'set', session, mutations: write.body.mutations, creds: write.body.creds }];
    case 'clear':
      return [{ tag: 'clear', session }];
    case 'record':
      return write.body.items.flatMap((item) => {
        const id = item.tag === 'message' || item.tag === 'inbox_settled' ? item.inboxId : null;
        return id === null ? [] : [{ tag: 'settle_inbox' as const, session, id }];
      });
    default:
      return [];
  }
}

function messagesOf(write: Write): readonly { readonly session: string; readonly record: MessageRecord }[] {
  if (write.tag !== 'record') return [];
  const { session, items } = write.body;
  return items.flatMap((item) => (item.tag === 'message' ? [{ session, record: item.record }] : []));
}

function statusKeysOf(write: Write): readonly { readonly session: string; readonly id: string }[] {
  const { session } = write.body;
  if (write.tag === 'fail') return [{ session, id: write.body.id }];
  if (write.tag !== 'record') return [];
  return write.body.items.flatMap((item) => (item.tag === 'status' ? item.ids.map((id) => ({ session, id })) : []));
}

/** Moves statuses in the book and answers the events that follow, in order. */
function applyWrite(write: Write, inserted: (record: MessageRecord) => boolean, book: StatusBook): readonly NewEvent[] {
  switch (write.tag) {
    case 'record':
      return write.body.items.flatMap((item) => applyItem(write.body.session, item, { inserted, book }));
    case 'emit':
      return [write.body];
    case 'fail': {
      const { session, id, at, errorCode, event } = write.body;
      const isFailed =
        book.statusOf(session, id) === 'accepted' && book.move({ session, id }, { status: 'failed', at, errorCode });
      return isFailed && event !== null ? [{ session, event, at }] : [];
    }
    default:
      return [];
  }
}

function applyItem(
  session: string,
  item: RecordItem,
  batch: { readonly inserted: (record: MessageRecord) => boolean; readonly book: StatusBook },
): readonly NewEvent[] {
  switch (item.tag) {
    case 'message':
      return item.event !== null && batch.inserted(item.record)
        ? [{ session, event: item.event, at: item.record.timestamp }]
        : [];
    case 'status': {
      const { status, at, errorCode, event } = item;
      const moved = item.ids.filter((id) => batch.book.move({ session, id }, { status, at, errorCode }));
      const isUnknown = item.ids.every((id) => batch.book.statusOf(session, id) === null);
      const isTold = moved.length > 0 || (isUnknown && isToldOfUnknown(status));
      return event !== null && isTold ? [{ session, event, at }] : [];
    }
    case 'event':
      return [{ session, event: item.event, at: item.at }];
    case 'inbox_settled':
      return [];
    default:
      return assertNever(item);
  }
}
