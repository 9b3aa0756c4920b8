/**
 * Pure: a batch of writes as rows that one statement can write, with the conditions that only the database can answer.
 * Most batches are of this kind. The others (edits, failures, ordered webhooks, two writes of one row) get none.
 */
import { assertNever } from '../contract/assert-never.ts';
import type { SessionEvent } from '../contract/events.ts';
import type { MessageRecord, MessageStatus, Origin, RecordItem } from '../contract/ipc.ts';
import type { Write } from './commit-batch.ts';
import { foldKeyChanges, type KeyChanges, type KeyWrite } from './key-changes.ts';
import { isToldOfUnknown, rank } from './message-status.ts';
import type { Hook } from './hook-book.ts';
import { identityOf, type SessionRecord } from './message-identity.ts';
import { textOf } from './text-of.ts';
import { isWanted } from './webhook-match.ts';

/** A status that a message reaches in this batch, and when; null for those that it passes over or had reached before. */
export interface Move {
  readonly session: string;
  readonly id: string;
  readonly status: MessageStatus;
  readonly reachedAt: Readonly<Partial<Record<MessageStatus, number>>>;
}

/** What decides whether an event is told. */
export type Condition =
  | { readonly tag: 'always' }
  /** The message was not known. */
  | { readonly tag: 'message'; readonly record: MessageRecord }
  /** The text had not been told. */
  | { readonly tag: 'once'; readonly id: string }
  /** One of the messages moved; with `isToldOfUnknown` also when none of them is known. */
  | { readonly tag: 'status'; readonly isToldOfUnknown: boolean };

export interface PlannedEvent {
  readonly session: string;
  readonly event: SessionEvent;
  readonly at: number;
  /** Whose request it follows from, where that is known. */
  readonly origin?: Origin | undefined;
  readonly condition: Condition;
  /** The messages that a status is about; `rank` is null for one that has come as far by an earlier item. */
  readonly steps: readonly { readonly id: string; readonly rank: number | null }[];
  /** The webhooks that want it. */
  readonly webhooks: readonly string[];
}

export interface CommitPlan {
  /** Session → the epoch that all of its writes carry. */
  readonly owners: ReadonlyMap<string, number>;
  readonly keys: KeyChanges['keys'];
  readonly credentials: KeyChanges['credentials'];
  readonly sending: readonly SessionRecord[];
  readonly messages: readonly SessionRecord[];
  readonly told: readonly { readonly session: string; readonly id: string }[];
  readonly moves: readonly Move[];
  readonly events: readonly PlannedEvent[];
  /** The webhooks that were asked, by their versions: others would make other deliveries. */
  readonly hooks: readonly Hook[];
}

/** The sessions whose webhooks have to be known for a plan. */
export function sessionsWithEvents(writes: readonly Write[]): readonly string[] {
  const sessions = writes.flatMap((write) =>
    write.tag === 'record' && write.body.items.some((item) => item.tag !== 'inbox_settled' && item.event !== null)
      ? [write.body.session]
      : [],
  );
  return [...new Set(sessions)];
}

/** The sessions of which a plan writes what lies encrypted. */
export function sessionsWithSecrets({ keys, credentials }: CommitPlan): readonly string[] {
  const kept = keys.filter(({ value }) => value !== null);
  return [...new Set([...kept, ...credentials].map(({ session }) => session))];
}

/** Null for a batch that takes more than one statement. `hooksOf` answers the enabled webhooks of a session. */
export function planCommit(writes: readonly Write[], hooksOf: (session: string) => readonly Hook[]): CommitPlan | null {
  const owners = ownersOf(writes);
  if (owners === null) return null;
  const draft = new Draft(hooksOf);
  for (const write of writes) if (!draft.add(write)) return null;
  return draft.finish(owners);
}

/** Null when the writes of a session do not agree on its epoch, or have none. */
function ownersOf(writes: readonly Write[]): ReadonlyMap<string, number> | null {
  const owners = new Map<string, number>();
  for (const { body } of writes) {
    if (!('epoch' in body) || (owners.get(body.session) ?? body.epoch) !== body.epoch) return null;
    owners.set(body.session, body.epoch);
  }
  return owners;
}

const addressOf = (session: string, id: string): string => JSON.stringify([session, textOf(id)]);

class Draft {
  readonly #hooksOf: (session: string) => readonly Hook[];
  readonly #keyWrites: KeyWrite[] = [];
  readonly #sending = new Map<string, SessionRecord>();
  readonly #messages = new Map<string, SessionRecord>();
  readonly #told = new Map<string, { session: string; id: string }>();
  readonly #moves = new Map<string, Move>();
  readonly #events: PlannedEvent[] = [];
  readonly #hooks = new Map<string, Hook>();

  constructor(hooksOf: (session: string) => readonly Hook[]) {
    this.#hooksOf = hooksOf;
  }

  /** False for a write that does not fit into one statement. */
  add(write: Write): boolean {
    const { session } = write.body;
    switch (write.tag) {
      case 'keys':
        this.#keyWrites.push({ tag: 'set', session, mutations: write.body.mutations, creds: write.body.creds });
        return true;
      case 'sending': {
        const record = { ...write.body.record, fromMe: true };
        this.#sending.set(addressOf(session, record.id), { session, record });
        return true;
      }
      case 'record':
        return write.body.items.every((item) => this.#addItem(session, item));
      case 'clear':
      case 'emit':
      case 'fail':
        return false;
      default:
        return assertNever(write);
    }
  }

  finish(owners: ReadonlyMap<string, number>): CommitPlan | null {
    // One statement changes a row once, and does not see what it has written itself.
    const own = [...this.#messages.values()].filter(({ record }) => record.fromMe);
    const written = [...this.#sending.keys(), ...own.map(({ session, record }) => addressOf(session, record.id))];
    const changed = new Set([...this.#moves.keys(), ...this.#stepped()]);
    if (new Set(written).size < written.length || written.some((address) => changed.has(address))) return null;
    const { keys, credentials } = foldKeyChanges(this.#keyWrites);
    return {
      owners,
      keys,
      credentials,
      sending: [...this.#sending.values()],
      messages: [...this.#messages.values()],
      told: [...this.#told.values()],
      moves: [...this.#moves.values()],
      events: this.#events,
      hooks: [...this.#hooks.values()],
    };
  }

  #addItem(session: string, item: RecordItem): boolean {
    const inboxId = item.tag === 'status' ? null : (item.inboxId ?? null);
    if (inboxId !== null) this.#keyWrites.push({ tag: 'settle_inbox', session, id: inboxId });
    switch (item.tag) {
      case 'inbox_settled':
        return true;
      case 'message': {
        const identity = identityOf(session, item.record);
        if (this.#messages.has(identity)) return true;
        this.#messages.set(identity, { session, record: item.record });
        return this.#tell(session, item.event, {
          at: item.record.timestamp,
          condition: { tag: 'message', record: item.record },
        });
      }
      case 'event': {
        const { at, origin } = item;
        const id = item.onceId ?? null;
        if (id === null) return this.#tell(session, item.event, { at, origin, condition: { tag: 'always' } });
        const address = addressOf(session, id);
        if (this.#told.has(address)) return true;
        this.#told.set(address, { session, id: textOf(id) });
        return this.#tell(session, item.event, { at, origin, condition: { tag: 'once', id: textOf(id) } });
      }
      case 'status':
        return this.#addStatus(session, item);
      case 'change':
        return false;
      default:
        return assertNever(item);
    }
  }

  #addStatus(session: string, item: Extract<RecordItem, { tag: 'status' }>): boolean {
    const { status, at, origin } = item;
    if (status === 'failed') return false;
    const steps = item.ids.map((id) => {
      const address = addressOf(session, id);
      const before = this.#moves.get(address);
      if (before !== undefined && rankOf(before.status) >= rank[status]) return { id: textOf(id), rank: null };
      this.#moves.set(address, {
        session,
        id: textOf(id),
        status,
        reachedAt: { ...before?.reachedAt, [status]: at },
      });
      return { id: textOf(id), rank: rank[status] };
    });
    const condition: Condition = { tag: 'status', isToldOfUnknown: isToldOfUnknown(status) };
    return this.#tell(session, item.event, { at, origin, condition, steps });
  }

  /** False when a webhook wants the event in a lane: whether it is the first there is seen only under the lanes' lock. */
  #tell(
    session: string,
    event: SessionEvent | null,
    { steps = [], ...rest }: Pick<PlannedEvent, 'at' | 'origin' | 'condition'> & Partial<Pick<PlannedEvent, 'steps'>>,
  ): boolean {
    if (event === null) return true;
    const hooks = this.#hooksOf(session);
    for (const hook of hooks) this.#hooks.set(hook.id, hook);
    const wanting = hooks.filter((hook) => isWanted(hook, event));
    this.#events.push({ session, event, steps, webhooks: wanting.map(({ id }) => id), ...rest });
    return wanting.every(({ ordered }) => !ordered);
  }

  *#stepped(): Iterable<string> {
    for (const { session, steps } of this.#events) for (const { id } of steps) yield addressOf(session, id);
  }
}

const rankOf = (status: MessageStatus): number => (status === 'failed' ? Number.POSITIVE_INFINITY : rank[status]);
