/** One message to many recipients: accepted here, sent by whoever works on bulks. */
import { ulid } from 'ulid';
import { bulkEvent } from '../../bulk/bulk-event.ts';
import { markDuplicates, objectionsTo } from '../../bulk/bulk-message.ts';
import { shownStatus } from '../../bulk/bulk-progress.ts';
import { WardenError } from '../../contract/errors.ts';
import { operations, type Params } from '../../contract/index.ts';
import type { Operation } from '../../contract/operation.ts';
import type { PreparedMedia } from '../../contract/ipc.ts';
import { bulkSends, type BulkSendName } from '../../contract/operations/bulk.ts';
import type { BulkRow } from '../../store/bulk-store.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentBulk, presentRecipient } from '../presenters/bulk.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { prepareSent } from './media.ts';
import { withoutSettled } from './send.ts';
import { invalidRequest, parseParams } from './validation.ts';

type BulkOperationName =
  | 'createBulk'
  | 'listBulks'
  | 'getBulk'
  | 'listBulkRecipients'
  | 'pauseBulk'
  | 'resumeBulk'
  | 'cancelBulk';

const dayMs = 24 * 3_600_000;
const maxAheadMs = 30 * dayMs;
/** WhatsApp keeps files for two weeks at least; two days are left for those who open the message late. */
const mediaLifetimeMs = 12 * dayMs;
const mostDuplicatesShown = 100;

export function bulkHandlers(dependencies: ApiDependencies): Handlers<BulkOperationName> {
  const { store, supervisor, settings, clock, bulk: runner } = dependencies;

  const find = async (row: SessionRow, id: string): Promise<BulkRow> => {
    const bulk = await store.bulks.get(row.id, id);
    if (bulk === null) throw new WardenError('bulk_not_found');
    return bulk;
  };

  const present = async (row: SessionRow, bulks: readonly BulkRow[]) => {
    const now = clock.now();
    const counts = await store.bulks.countAll(bulks, now);
    const view = supervisor.view(row);
    return bulks.flatMap((bulk, index) => {
      const each = counts[index];
      return each === undefined ? [] : [presentBulk(bulk, { counts: each, view, now })];
    });
  };

  const presentOne = async (row: SessionRow, id: string) => {
    const [shown] = await present(row, [await find(row, id)]);
    if (shown === undefined) throw new WardenError('bulk_not_found');
    return shown;
  };

  const setStatus = async (
    row: SessionRow,
    id: string,
    to: { readonly status: 'running' | 'paused'; readonly reason: string },
  ) => {
    await find(row, id);
    if (!(await store.bulks.setStatus(id, to.status, to.reason))) throw new WardenError('bulk_is_over');
    runner.wake();
    return presentOne(row, id);
  };

  /** Media that was uploaded before may end sooner. */
  const mediaUntil = async (row: SessionRow, mediaId: unknown, now: number): Promise<number> => {
    const known = typeof mediaId === 'string' ? await store.media.getUploaded(mediaId, row.sandbox, now) : null;
    return Math.min(known?.expiresAt ?? Number.POSITIVE_INFINITY, now + mediaLifetimeMs);
  };

  return {
    createBulk: async (call) => {
      const row = sessionOf(call);
      const { recipients, pacing, name, start_at: start, message_ttl_seconds: ttlSeconds } = call.params;
      const { operation, fields } = messageOf(call.params);
      const now = clock.now();
      const startAt = start === undefined ? now : Math.max(start * 1000, now);
      const marked = markDuplicates(recipients);
      const objections = objectionsTo(fields, recipients);
      if (objections.length > 0) throw invalidRequest(objections);
      const { media: kind }: Operation = operations[operation];
      const aheadMs = kind === undefined ? maxAheadMs : mediaLifetimeMs;
      if (startAt > now + aheadMs) {
        const expected = `at most ${aheadMs / dayMs} days ahead`;
        throw invalidRequest([{ field: 'start_at', expected, received: String(start) }]);
      }
      const prepared = await uploaded(dependencies, { row, operation, fields }, call.signal);
      if (call.signal.aborted) throw new WardenError('whatsapp_timeout');
      const bulk = {
        id: `bulk_${ulid()}`,
        session: row.id,
        name: name ?? null,
        operation,
        params: withoutSettled(fields),
        prepared,
        mediaUntil: prepared === null ? null : await mediaUntil(row, fields['media_id'], now),
        intervalMs: pacing.interval_ms,
        jitterMs: pacing.jitter_ms,
        ttlMs: ttlSeconds === undefined ? settings.messageTtlMs : ttlSeconds * 1000,
        startAt,
        createdAt: now,
      };
      await store.bulks.create(
        bulk,
        marked.map(({ to, variables, isDuplicate }) => ({ chat: to, variables, isDuplicate })),
      );
      runner.wake();
      const duplicates = marked.flatMap(({ to, isDuplicate }, index) => (isDuplicate ? [{ index, to }] : []));
      return {
        bulk_id: bulk.id,
        accepted: marked.length - duplicates.length,
        duplicates: duplicates.length,
        duplicate_recipients: duplicates.slice(0, mostDuplicatesShown),
        status: shownStatus({ status: 'running', startAt }, now),
      };
    },

    listBulks: async (call) => {
      const row = sessionOf(call);
      const { limit, cursor } = call.params;
      const page = await store.bulks.list(row.id, { limit, cursor: cursor ?? null });
      return { bulks: await present(row, page.rows), total: page.total, next_cursor: page.nextCursor };
    },

    getBulk: async (call) => presentOne(sessionOf(call), call.params.bulk_id),

    listBulkRecipients: async (call) => {
      const bulk = await find(sessionOf(call), call.params.bulk_id);
      const { limit, cursor, state } = call.params;
      const page = await store.bulks.listRecipients(bulk, { limit, cursor: cursor ?? null, state: state ?? null });
      return { recipients: page.rows.map(presentRecipient), total: page.total, next_cursor: page.nextCursor };
    },

    pauseBulk: async (call) =>
      setStatus(sessionOf(call), call.params.bulk_id, { status: 'paused', reason: 'It was paused.' }),

    resumeBulk: async (call) =>
      setStatus(sessionOf(call), call.params.bulk_id, { status: 'running', reason: 'Messages are being sent.' }),

    cancelBulk: async (call) => {
      const row = sessionOf(call);
      const bulk = await find(row, call.params.bulk_id);
      const told = { ...bulk, status: 'cancelled' };
      if (!(await store.bulks.cancel(bulk.id, clock.now(), (counts) => bulkEvent('bulk_finished', told, counts)))) {
        throw new WardenError('bulk_is_over');
      }
      return presentOne(row, bulk.id);
    },
  };
}

interface BulkMessage {
  readonly operation: BulkSendName;
  /** The params of its send, without a recipient. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Throws what the send itself would say of these fields. */
function messageOf({ message, recipients }: Params<'createBulk'>): BulkMessage {
  const { type, ...fields } = message;
  const operation = bulkSends[type];
  try {
    const { to: _, ...parsed } = parseParams(operation, { ...fields, to: recipients[0]?.to });
    return { operation, fields: parsed };
  } catch (error) {
    if (!(error instanceof WardenError) || error.details === undefined) throw error;
    throw invalidRequest(error.details.map((detail) => ({ ...detail, field: `message.${detail.field}` })));
  }
}

/** The media of a bulk, at WhatsApp already: it is uploaded once for all. Null for a message without. */
async function uploaded(
  dependencies: ApiDependencies,
  { row, operation, fields }: BulkMessage & { readonly row: SessionRow },
  signal: AbortSignal,
): Promise<PreparedMedia | null> {
  const { supervisor, media } = dependencies;
  const send: Operation = operations[operation];
  const entry = { operation: send, params: fields, row, upload: null, dueAt: null };
  if (send.media !== undefined && fields['media_id'] === undefined) await supervisor.assertSendable(row.id);
  const prepared = await prepareSent(dependencies, entry, signal);
  if (prepared?.source.tag !== 'file') return prepared;
  try {
    const { content } = await supervisor.uploadMedia(row.id, prepared);
    return { ...prepared, source: { tag: 'uploaded', content } };
  } finally {
    await media.spool.release(prepared.source.path);
  }
}
