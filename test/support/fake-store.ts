/** A store in memory for tests of the supervisor in which Postgres is not the point. */
import { WardenError } from '../../src/contract/errors.ts';
import type { SessionEvent } from '../../src/contract/events.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import type { LinkSnapshot } from '../../src/contract/ipc.ts';
import type { AcceptedSend, ChildExit, SessionRow, Store } from '../../src/store/store.ts';

export interface FakeStore extends Store {
  addSession(id: string, change?: Partial<SessionRow>): SessionRow;
  row(id: string): SessionRow;
  readonly emitted: { readonly session: SessionId; readonly event: SessionEvent }[];
  readonly failed: { readonly id: string; readonly errorCode: string | null }[];
  readonly waiting: AcceptedSend[];
  readonly links: LinkSnapshot[];
  /** Restart records, oldest first. */
  readonly exits: { session: SessionId; exit: ChildExit; backAt: number | null }[];
  /** While true, every call fails with `storage_unavailable`. */
  isAway: boolean;
}

const unused = () => Promise.reject(new Error('not part of the fake store'));

export function createFakeStore(): FakeStore {
  const rows = new Map<string, SessionRow>();
  const epochs = new Map<string, number>();
  const creds = new Map<string, Uint8Array>();
  const emitted: FakeStore['emitted'] = [];
  const failed: FakeStore['failed'] = [];
  const waiting: AcceptedSend[] = [];
  const links: LinkSnapshot[] = [];
  const exits: FakeStore['exits'] = [];

  const change = (id: string, patch: Partial<SessionRow>) => {
    const row = rows.get(id);
    if (row !== undefined) rows.set(id, { ...row, ...patch });
  };
  const answer = async <Value>(value: () => Value): Promise<Value> => {
    await new Promise((resolve) => setImmediate(resolve));
    if (store.isAway) throw new WardenError('storage_unavailable');
    return value();
  };
  const fence = (id: string, epoch: number) => {
    if (epochs.get(id) !== epoch) throw new WardenError('fenced');
  };

  const store: FakeStore = {
    emitted,
    failed,
    waiting,
    links,
    exits,
    isAway: false,
    addSession: (id, patch = {}) => {
      const parsed = parseSessionId(id);
      if (parsed === null) throw new Error('not a session id');
      const row: SessionRow = {
        id: parsed,
        name: null,
        sandbox: false,
        desired: 'stopped',
        memoryCapMb: null,
        isolated: null,
        link: { state: 'idle', reason: 'The session is not connected.', until: null },
        isPaired: false,
        device: null,
        createdAt: 0,
        updatedAt: 0,
        lastConnectedAt: null,
        linkedAt: null,
        exportedAt: null,
        pacing: null,
        pacingBackoff: null,
        ...patch,
      };
      rows.set(id, row);
      return row;
    },
    row: (id) => {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`no session ${id}`);
      return row;
    },
    sessions: {
      create: unused,
      get: (id) => answer(() => rows.get(id) ?? null),
      list: unused,
      listDesired: () => answer(() => [...rows.values()].filter((row) => row.desired === 'running')),
      update: unused,
      setDesired: (id, desired) => answer(() => change(id, { desired })),
      saveLink: (snapshot) =>
        answer(() => {
          links.push(snapshot);
          const { session, state, reason, until, isPaired, device } = snapshot;
          change(session, { link: { state, reason, until }, isPaired, device });
        }),
      delete: (id) => answer(() => rows.delete(id)),
      takeEpoch: (id) =>
        answer(() => {
          if (!rows.has(id)) return null;
          const epoch = (epochs.get(id) ?? 0) + 1;
          epochs.set(id, epoch);
          return epoch;
        }),
    },
    children: {
      add: (id, exit) => answer(() => void exits.push({ session: id, exit, backAt: null })),
      cameBack: (id, at) =>
        answer(() => {
          for (const each of exits) if (each.session === id) each.backAt ??= at;
        }),
      list: unused,
      listRecent: unused,
    },
    credentials: {
      load: (id) => answer(() => ({ creds: creds.get(id) ?? null, inbox: [] })),
      getKeys: () => answer(() => ({})),
    },
    scheduled: {
      add: unused,
      list: unused,
      find: unused,
      move: unused,
      cancel: unused,
      release: unused,
      nextDueAt: unused,
      listWaitingSessions: unused,
    },
    transfers: { read: unused, create: unused, setExported: unused },
    encryption: { rotate: unused },
    idempotency: { find: unused, claim: unused, finish: unused, release: unused, prune: unused },
    media: {
      location: unused,
      moved: unused,
      listSpooled: unused,
      keepUploaded: unused,
      getUploaded: unused,
      deleteExpired: unused,
    },
    commits: {
      setKeys: (body) =>
        answer(() => {
          fence(body.session, body.epoch);
          if (body.creds !== null) creds.set(body.session, body.creds);
        }),
      record: (body) => answer(() => fence(body.session, body.epoch)),
      sending: (body) => answer(() => fence(body.session, body.epoch)),
      clearCredentials: (body) =>
        answer(() => {
          fence(body.session, body.epoch);
          creds.delete(body.session);
        }),
      emit: (session, event) => answer(() => void emitted.push({ session, event })),
      drain: () => Promise.resolve(),
    },
    messages: {
      accept: (send) => answer(() => void waiting.push(send)),
      get: () => answer(() => null),
      listAccepted: (id) => answer(() => waiting.filter((send) => send.session === id)),
      listExpired: (now) => answer(() => waiting.filter(({ expiresAt }) => expiresAt <= now)),
      withdraw: ({ id }) =>
        answer(() => {
          const index = waiting.findIndex((send) => send.id === id);
          if (index !== -1) waiting.splice(index, 1);
          return index !== -1;
        }),
      fail: (_session, id, { errorCode }) =>
        answer(() => {
          const index = waiting.findIndex((send) => send.id === id);
          if (index !== -1) waiting.splice(index, 1);
          failed.push({ id, errorCode });
        }),
      list: unused,
      find: unused,
      listChats: unused,
      latestOf: unused,
      listSentContents: unused,
      listOwnReactions: unused,
      prune: unused,
      forget: unused,
    },
    pacing: {
      knownChats: unused,
      standing: unused,
      openChat: unused,
      closeChat: unused,
      countSent: unused,
      postpone: unused,
      saveBackoff: unused,
    },
    bulks: {
      create: unused,
      get: unused,
      list: unused,
      countAll: unused,
      listRecipients: unused,
      setStatus: unused,
      cancel: unused,
      listUnowned: unused,
      hold: unused,
      release: unused,
      setHeld: unused,
      listQueued: unused,
      accept: unused,
      finish: unused,
      prune: unused,
    },
    webhooks: {
      create: unused,
      list: unused,
      get: unused,
      update: unused,
      delete: unused,
      switchOff: unused,
      enable: unused,
      disable: unused,
      rotateSecret: unused,
    },
    webhookHealth: { states: unused, totals: unused },
    deliveries: {
      list: unused,
      get: unused,
      replay: unused,
      replayAll: unused,
      createMissed: unused,
      createOnly: unused,
      pruneDead: unused,
      pruneEvents: unused,
    },
    outbox: { claim: unused, settle: unused, nextDueInMs: unused, onNew: () => () => {}, onLeased: () => () => {} },
    browserSessions: { create: unused, find: unused, touch: unused, delete: unused, deleteOlder: unused },
    tokens: {
      create: unused,
      find: unused,
      findWithDigest: unused,
      list: unused,
      update: unused,
      rotate: unused,
      revoke: unused,
      touch: unused,
    },
    audit: { append: unused, list: unused, prune: unused },
    traffic: { read: unused },
    events: {
      head: unused,
      listAfter: unused,
      listLatest: unused,
      prunedThrough: unused,
      existing: unused,
      onNew: () => () => {},
      onNotice: () => () => {},
    },
    ping: () => answer(() => undefined),
    connections: () => ({ acquired: 0, idle: 0, waiting: 0, size: 1 }),
    close: () => Promise.resolve(),
  };
  return store;
}
