/** A supervisor without children: tests of the HTTP side say what its sessions look like. */
import type { ChildView, SessionView, SupervisorPort } from '../../src/api/supervisor-port.ts';
import { WardenError } from '../../src/contract/errors.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import type { LinkSnapshot, PairingOffer, SendAnswer } from '../../src/contract/ipc.ts';
import type { SessionStatus } from '../../src/contract/operations/sessions.ts';
import type { AcceptedSend, Store } from '../../src/store/store.ts';

interface Scene {
  readonly status: SessionStatus;
  readonly reason: string;
  readonly link: LinkSnapshot | null;
}

export interface FakeSupervisor extends SupervisorPort {
  /** Changes what a session looks like, and tells the listeners. */
  show(id: SessionId, status: SessionStatus, link?: Partial<LinkSnapshot>): void;
  /** Calls made, in order: `connect demo`. */
  readonly calls: readonly string[];
  readonly sent: readonly AcceptedSend[];
  /** How the next sends end. */
  onSend: (accepted: AcceptedSend) => Promise<SendAnswer>;
  onPairCode: (id: SessionId, phone: string) => Promise<PairingOffer>;
  onConnect: (id: SessionId) => Promise<void>;
  listenerCount(): number;
}

const child: ChildView = {
  pid: 4242,
  state: 'running',
  memoryBytes: 15_000_000,
  capBytes: 201_326_592,
  memoryWarning: null,
  sessions: 1,
  restarts: 1,
  lastExit: { cause: 'crash', at: 1_767_225_600_500, detail: 'It ended with code 70.' },
};

export function createFakeSupervisor(store: Store): FakeSupervisor {
  const scenes = new Map<SessionId, Scene>();
  const listeners = new Map<SessionId, Set<() => void>>();
  const calls: string[] = [];
  const sent: AcceptedSend[] = [];
  const note = (name: string, id: SessionId): void => void calls.push(`${name} ${id}`);

  const fake: FakeSupervisor = {
    calls,
    sent,
    onSend: async (accepted) => ({ to: accepted.chat, status: 'sent', at: 1_767_225_600_000 }),
    onPairCode: async () => ({ code: 'ABCD-EFGH', expiresAt: 1_767_225_600_000, attempt: 1 }),
    onConnect: async () => undefined,
    listenerCount: () => [...listeners.values()].reduce((sum, set) => sum + set.size, 0),
    show: (id, status, link = {}) => {
      scenes.set(id, { status, reason: `It is ${status}.`, link: { ...emptyLink(id), ...link } });
      for (const listener of listeners.get(id) ?? []) listener();
    },
    connect: async (id) => {
      note('connect', id);
      await fake.onConnect(id);
    },
    assertCapacity: () => undefined,
    reconsider: async (id) => note('reconsider', id),
    vitals: { ofSession: () => [], ofFleet: () => [] },
    weigh: async () => undefined,
    stats: () => {
      throw new WardenError('internal_error');
    },
    disconnect: async (id) => note('disconnect', id),
    restart: async (id) => note('restart', id),
    export: () => Promise.reject(new WardenError('not_paired')),
    logout: async (id) => note('logout', id),
    remove: async (id) => {
      note('remove', id);
      await store.sessions.delete(id);
    },
    pairCode: async (id, { phone }) => {
      note('pairCode', id);
      return fake.onPairCode(id, phone);
    },
    call: async (id) => note('call', id),
    assertSendable: (id) => {
      if (scenes.get(id)?.status !== 'connected') throw new WardenError('session_not_connected');
    },
    accept: (_message, { take }) => take(),
    send: async (accepted) => {
      sent.push(accepted);
      return fake.onSend(accepted);
    },
    targetOf: async () => ({ url: null, rootKeyHex: null, caPem: null }),
    uploadMedia: () => Promise.reject(new WardenError('session_not_connected')),
    renewMedia: () => Promise.reject(new WardenError('session_not_connected')),
    view: (row) => viewOf(scenes.get(row.id)),
    onChange: (id, listener) => {
      const set = listeners.get(id) ?? new Set();
      listeners.set(id, set.add(listener));
      return () => set.delete(listener);
    },
  };
  return fake;
}

function viewOf(scene: Scene | undefined): SessionView {
  if (scene === undefined) {
    return { link: null, child: null, status: 'disconnected', statusReason: 'The session is disconnected.' };
  }
  return { link: scene.link, child, status: scene.status, statusReason: scene.reason };
}

export function emptyLink(session: SessionId): LinkSnapshot {
  return {
    session,
    state: 'idle',
    reason: 'A test says so.',
    code: null,
    until: null,
    qr: null,
    pairCode: null,
    device: null,
    isPaired: false,
  };
}
