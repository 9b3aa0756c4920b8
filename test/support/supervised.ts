/** A supervisor over test children and a store in memory, with short times, for one test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import type { SupervisorSettings } from '../../src/supervisor/settings.ts';
import type { SessionView } from '../../src/supervisor/session-view.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import type { Wrappers } from '../../src/supervisor/spawn.ts';
import { createFakeStore, type FakeStore } from './fake-store.ts';
import { eventually } from './eventually.ts';
import type { TestChildScript } from './test-child.ts';

export interface Supervised {
  readonly supervisor: Supervisor;
  readonly store: FakeStore;
  readonly storagePath: string;
  /** How children boot from now on. */
  script(script: TestChildScript): void;
  view(id: string): SessionView;
  pid(id: string): number;
  /** Waits for a view and answers it. */
  until(id: string, probe: (view: SessionView) => boolean, deadlineMs?: number): Promise<SessionView>;
  connected(id: string): Promise<SessionView>;
  ask(id: string, operation: string, params?: unknown): Promise<unknown>;
  dispose(): Promise<void>;
}

export const testChildEntry = fileURLToPath(new URL('./test-child.js', import.meta.url));

export const quickSettings: SupervisorSettings = {
  sessionsPerChild: 1,
  memoryCapMb: 192,
  startConcurrency: 2,
  connectRatePerSecond: 1000,
  connectBurst: 1000,
  readyTimeoutMs: 5000,
  heartbeatIntervalMs: 50,
  heartbeatSuspectMs: 300,
  heartbeatKillMs: 1000,
  stopTimeoutMs: 1000,
  restart: { baseMs: 50, maxMs: 2000, resetMs: 60_000, crashLoopCount: 5, crashLoopWindowMs: 60_000, limit: 0 },
  recycle: { softRatio: 0.8, quietMs: 500, timeoutMs: 1000, intervalMs: 60_000 },
  admission: { maxSessions: 0, overcommit: 100, reserveMb: 256 },
  massFailure: { count: 100, percent: 100, windowMs: 5000, pauseMs: 500, maxPauseMs: 2000 },
  deaf: { silenceMs: 0 },
  limits: {
    queryTimeoutMs: 1000,
    connectTimeoutMs: 1000,
    keepAliveMs: 1000,
    openTimeoutMs: 1000,
    sendTimeoutMs: 1000,
    mediaUploadTimeoutMs: 1000,
    undecryptablePatienceMs: 60_000,
    qrTimeoutMs: null,
  },
  version: null,
  childEnvironment: {},
};

export function session(id: string): SessionId {
  const parsed = parseSessionId(id);
  if (parsed === null) throw new Error('not a session id');
  return parsed;
}

/** Begins with the sessions that `prepare` puts into the store. */
export async function supervise(
  options: {
    readonly settings?: Partial<SupervisorSettings>;
    readonly script?: TestChildScript;
    readonly prepare?: (store: FakeStore) => void;
    readonly store?: FakeStore;
    readonly storagePath?: string;
    /** Another program than the test child. */
    readonly child?: { readonly entry: string; readonly flags: readonly string[] };
    /** How children are guarded; as this machine offers when absent. */
    readonly wrappers?: Wrappers;
  } = {},
): Promise<Supervised> {
  setLogLevel('silent');
  const storagePath = options.storagePath ?? mkdtempSync(join(tmpdir(), 'warden-supervised-'));
  const scriptPath = join(storagePath, 'script.json');
  const store = options.store ?? createFakeStore();
  const script = (content: TestChildScript) => writeFileSync(scriptPath, JSON.stringify(content));
  script(options.script ?? {});
  options.prepare?.(store);
  const supervisor = new Supervisor({
    store,
    childEntry: options.child?.entry ?? testChildEntry,
    ...(options.child === undefined ? {} : { childFlags: options.child.flags }),
    ...(options.wrappers === undefined ? {} : { wrappers: options.wrappers }),
    settings: { ...quickSettings, ...options.settings, childEnvironment: { TEST_CHILD_SCRIPT: scriptPath } },
    storagePath,
    resolveTarget: () => Promise.resolve({ url: 'ws://127.0.0.1:1', rootKeyHex: null, caPem: null }),
    clock: systemClock,
    log: logger('supervisor'),
    random: () => 0.5,
  });
  await supervisor.start();
  const view = (id: string) => supervisor.view(store.row(id));
  const until: Supervised['until'] = (id, probe, deadlineMs = 10_000) =>
    eventually(
      () => (probe(view(id)) ? view(id) : null),
      deadlineMs,
      () => view(id),
    );
  return {
    supervisor,
    store,
    storagePath,
    script,
    view,
    until,
    connected: (id) => until(id, ({ status }) => status === 'connected'),
    pid: (id) => {
      const pid = view(id).child?.pid ?? null;
      if (pid === null) throw new Error(`session ${id} has no process`);
      return pid;
    },
    ask: (id, operation, params = null) => supervisor.call(session(id), operation, params, 5000),
    dispose: async () => {
      await supervisor.stop(2000);
      rmSync(storagePath, { recursive: true, force: true });
    },
  };
}

/** Runs a test over a supervisor of its own and ends that, however the test ends. */
export async function withSupervised(
  run: (supervised: Supervised) => Promise<void>,
  options: Parameters<typeof supervise>[0] = {},
): Promise<void> {
  const supervised = await supervise(options);
  try {
    await run(supervised);
  } finally {
    await supervised.dispose();
  }
}
