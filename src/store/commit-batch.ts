/** What one transaction of the group commit does with the writes that it carries, step by step. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { assertNever } from '../contract/assert-never.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionEvent } from '../contract/events.ts';
import type { MessageRecord, RecordItem, ToSupervisor } from '../contract/ipc.ts';
import type { Change } from './change-rule.ts';
import { appendEvents, type NewEvent } from './event-log.ts';
import type { KeyWrite } from './key-changes.ts';
import { writeKeyChanges } from './credentials.ts';
import { applyChanges, applyPending } from './message-changes.ts';
import { isToldOfUnknown } from './message-status.ts';
import { fillSending, insertMessages, StatusBook } from './message-writes.ts';
import { markTold, type SessionItem } from './told-once.ts';
import type { Vault } from './vault.ts';

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
 * old epoch gets `fenced` and changes nothing, whatever the others do. Answers the events that came of it, too.
 */
export async function commitBatch(
  transaction: CommonQueryMethods,
  writes: readonly Write[],
  { newEventId, vault }: { readonly newEventId: () => string; readonly vault: Vault },
): Promise<{ readonly outcomes: readonly Outcome[]; readonly events: readonly NewEvent[] }> {
  const sessions = await lockSessions(transaction, [...new Set(writes.map((write) => write.body.session))]);
  const outcomes = writes.map((write) => refusal(write, sessions));
  const allowed = writes.filter((_, index) => outcomes[index] === null);

  await writeKeyChanges(transaction, allowed.flatMap(keyWritesOf), (ids) =>
    vault.sealer(transaction, new Map(ids.map((id) => [id, sessions.get(id)?.dataKey ?? null]))),
  );
  const inserted = await insertMessages(transaction, allowed.flatMap(messagesOf));
  const failedBefore = await fillSending(
    transaction,
    allowed.flatMap((write) =>
      write.tag === 'sending' ? [{ session: write.body.session, record: write.body.record }] : [],
    ),
  );
  const items = allowed.flatMap(itemsOf);
  const isNews = await markTold(transaction, items);
  await applyPending(transaction, newMessagesOf(items, inserted));
  const isChanged = await applyChanges(transaction, changesOf(items, isNews));
  const book = await StatusBook.load(transaction, allowed.flatMap(statusKeysOf));
  const events = allowed.flatMap((write) => applyWrite(write, { inserted, isNews, isChanged, book }));
  await book.save(transaction);
  await appendEvents(transaction, events, newEventId);

  const all = writes.map((write, index) => {
    if (write.tag === 'sending' && failedBefore(write.body.session, write.body.record.id)) {
      return failedAlready();
    }
    return outcomes[index] ?? null;
  });
  return { outcomes: all, events };
}

/** What the sender of a message hears that has failed meanwhile. */
export function failedAlready(): WardenError {
  return new WardenError('unprocessable', {
    message: 'The message has failed already; it must not be sent any more.',
  });
}

/** Takes the sessions' rows until the end of the transaction, so that no epoch can be taken in between. */
async function lockSessions(
  transaction: CommonQueryMethods,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedSession>> {
  const rows = await transaction.any(sql.type(lockedSession)`
    select s.id, s.epoch, (select max(k.id) from data_keys k where k.session_id = s.id) as "dataKey"
    from sessions s where s.id = any (${sql.array(ids, 'text')}) order by s.id for no key update of s
  `);
  return new Map(rows.map((row) => [row.id, row]));
}

/** `dataKey` is the newest key of the session in the vault. */
const lockedSession = z.object({ id: z.string(), epoch: z.number(), dataKey: z.number().nullable() });
type LockedSession = z.output<typeof lockedSession>;

function refusal(write: Write, sessions: ReadonlyMap<string, LockedSession>): Outcome {
  const epoch = sessions.get(write.body.session)?.epoch;
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
        const id = item.tag === 'status' ? null : (item.inboxId ?? null);
        return id === null ? [] : [{ tag: 'settle_inbox' as const, session, id }];
      });
    default:
      return [];
  }
}

function itemsOf(write: Write): readonly SessionItem[] {
  if (write.tag !== 'record') return [];
  const { session, items } = write.body;
  return items.map((item) => ({ session, item }));
}

function newMessagesOf(items: readonly SessionItem[], inserted: (record: MessageRecord) => boolean) {
  return items.flatMap(({ session, item }) =>
    item.tag === 'message' && inserted(item.record) ? [{ session, id: item.record.id }] : [],
  );
}

function changesOf(items: readonly SessionItem[], isNews: (item: RecordItem) => boolean) {
  return items.flatMap(({ session, item }) => (item.tag === 'change' && isNews(item) ? [{ session, item }] : []));
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

/** What the transaction has found out about its items. */
interface Batch {
  readonly inserted: (record: MessageRecord) => boolean;
  readonly isNews: (item: RecordItem) => boolean;
  readonly isChanged: (item: Change) => boolean;
  readonly book: StatusBook;
}

/** Moves statuses in the book and answers the events that follow, in order. */
function applyWrite(write: Write, batch: Batch): readonly NewEvent[] {
  const { book } = batch;
  switch (write.tag) {
    case 'record':
      return write.body.items.flatMap((item) => applyItem(write.body.session, item, batch));
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

function applyItem(session: string, item: RecordItem, batch: Batch): readonly NewEvent[] {
  switch (item.tag) {
    case 'message':
      return item.event !== null && batch.inserted(item.record)
        ? [{ session, event: item.event, at: item.record.timestamp }]
        : [];
    case 'status': {
      const { status, at, errorCode, event, origin } = item;
      const moved = item.ids.filter((id) => batch.book.move({ session, id }, { status, at, errorCode }));
      const isUnknown = item.ids.every((id) => batch.book.statusOf(session, id) === null);
      const isTold = moved.length > 0 || (isUnknown && isToldOfUnknown(status));
      return event !== null && isTold ? [{ session, event, at, ...(origin === undefined ? {} : { origin }) }] : [];
    }
    case 'change':
      return item.event !== null && batch.isChanged(item) ? [{ session, event: item.event, at: item.at }] : [];
    case 'event': {
      const { event, at, origin } = item;
      return batch.isNews(item) ? [{ session, event, at, ...(origin === undefined ? {} : { origin }) }] : [];
    }
    case 'inbox_settled':
      return [];
    default:
      return assertNever(item);
  }
}
