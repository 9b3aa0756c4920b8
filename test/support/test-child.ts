/**
 * A child without WhatsApp: speaks the protocol of the real one and misbehaves on demand. How it boots is read from the
 * JSON file in TEST_CHILD_SCRIPT; what it does later is asked for by operations and sends.
 */
import { readFileSync } from 'node:fs';
import { Channel } from '../../src/contract/channel.ts';
import { WardenError } from '../../src/contract/errors.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import {
  exitCode,
  protocolVersion,
  type ChildNotices,
  type LinkSnapshot,
  type LinkState,
  type StartSession,
  type SupervisorNotices,
  type ToChild,
  type ToSupervisor,
} from '../../src/contract/ipc.ts';
import { processPort } from '../../src/contract/process-port.ts';

export interface TestChildScript {
  readonly boot?: 'normal' | 'silent' | 'exit' | 'throw';
  readonly code?: number;
  readonly protocol?: number;
  readonly ignoreShutdown?: boolean;
  readonly ignoreRecycle?: boolean;
  readonly refuseStart?: boolean;
  /** Nothing comes back when WhatsApp is asked. */
  readonly isDeaf?: boolean;
  /** The link state that a session reaches at its start. */
  readonly state?: LinkState;
}

const script = readScript();
const starts = new Map<SessionId, StartSession>();
let startCount = 0;
let heartbeat: NodeJS.Timeout | undefined;
const held: Buffer[] = [];
const work = new Map<SessionId, number>();

function link(session: SessionId, state: LinkState, change: Partial<LinkSnapshot> = {}): void {
  channel.notify('link', {
    session,
    state,
    reason: `The link is ${state}.`,
    code: null,
    until: null,
    qr: null,
    pairCode: null,
    device: null,
    isPaired: state !== 'logged_out' && script.state !== 'waiting_for_qr',
    ...change,
  });
}

const operations: Readonly<Record<string, (session: SessionId, params: unknown) => unknown>> = {
  echo: (_session, params) => params,
  pid: () => process.pid,
  environment: () => ({ ...process.env }),
  start: (session) => starts.get(session),
  start_count: () => startCount,
  busy_loop: () => {
    setImmediate(() => {
      for (;;);
    });
    return null;
  },
  never: () => new Promise(() => {}),
  exit: (_session, params) => {
    setImmediate(() => process.exit(numberFrom(params)));
    return null;
  },
  throw: () => {
    setImmediate(() => {
      throw new Error('thrown on purpose');
    });
    return null;
  },
  link: (session, params) => {
    link(session, stateFrom(params));
    return null;
  },
  write: async (session, params) => {
    const start = starts.get(session);
    const epoch = typeof params === 'number' ? params : (start?.epoch ?? 0);
    return channel.request('keys_set', { session, epoch, mutations: {}, creds: new Uint8Array([1, 2, 3]) });
  },
  read_other: async (_session, params) => {
    const other = parseSessionId(String(params));
    return other === null ? null : channel.request('keys_get', { session: other, type: 'session', ids: ['1'] });
  },
  heap: () => {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 1000 }, () => ({})));
  },
  buffers: (_session, params) => {
    const kept: Buffer[] = [];
    for (let held = 0; held < numberFrom(params); held++) kept.push(Buffer.alloc(1 << 20, 1));
    return kept.length;
  },
  mute_heartbeat: () => {
    clearInterval(heartbeat);
    return null;
  },
  /** Megabytes that stay until the process ends. */
  hold: (_session, params) => held.push(Buffer.alloc(numberFrom(params) << 20, 1)),
  /** So many megabytes a second, until the process ends. */
  grow: (_session, params) => {
    setInterval(() => held.push(Buffer.alloc(numberFrom(params) * 104_858, 1)), 100);
    return null;
  },
  /** As fast as it can, and with nobody to catch what the kernel says in the end. */
  balloon: () => {
    setImmediate(() => {
      for (;;) held.push(Buffer.alloc(1 << 20, 1));
    });
    return null;
  },
  /** Counts as work of the session. */
  work: (session, params) => {
    work.set(session, (work.get(session) ?? 0) + numberFrom(params));
    return null;
  },
  /** Tells as much as the channel takes for so many milliseconds. */
  flood: (session, params) => {
    const end = performance.now() + numberFrom(params);
    const pour = () => {
      for (let n = 0; n < 500; n++) channel.notify('log', { level: 'debug', message: 'flood', fields: { session, n } });
      if (performance.now() < end) setImmediate(pour);
    };
    pour();
    return null;
  },
  reject: () => {
    void Promise.reject(new Error('rejected on purpose'));
    return null;
  },
  microtasks: () => {
    setImmediate(() => {
      const spin = (): void => queueMicrotask(spin);
      spin();
    });
    return null;
  },
  wait: async (_session, params) => {
    await new Promise((resolve) => setTimeout(resolve, numberFrom(params)));
    return 'waited';
  },
  junk: () => {
    for (const junk of [
      null,
      7,
      'text',
      { kind: 'nothing' },
      { kind: 'request', id: 'x' },
      { kind: 'notice', name: 'no_such' },
    ]) {
      process.send?.(junk);
    }
    return null;
  },
};

const channel = new Channel<ToSupervisor, ToChild, ChildNotices, SupervisorNotices>(processPort(process), {
  handlers: {
    start_session: async (start) => {
      if (script.refuseStart === true) throw new WardenError('internal_error', { message: 'refused on purpose' });
      startCount++;
      starts.set(start.session, start);
      link(start.session, 'connecting');
      link(start.session, script.state ?? 'connected');
      return null;
    },
    stop_session: async ({ session, logout }) => {
      if (!starts.has(session)) throw new WardenError('session_not_connected');
      link(session, logout ? 'logged_out' : 'idle');
      starts.delete(session);
      return null;
    },
    pair_code: async ({ phone }) => ({ code: `CODE-${phone.slice(0, 4)}`, expiresAt: Date.now() + 60_000, attempt: 1 }),
    operation: async ({ session, name, params }) => operations[name]?.(session, params),
    upload_media: () => Promise.reject(new WardenError('media_upload_failed')),
    renew_media: () => Promise.reject(new WardenError('media_gone')),
    send: async ({ messageId, params }) => {
      switch (String(params)) {
        case 'refuse':
          throw new WardenError('whatsapp_refused');
        case 'busy':
          throw new WardenError('session_not_connected');
        case 'exit':
          return process.exit(1);
        case 'slow':
          await new Promise((resolve) => setTimeout(resolve, 300));
          return { to: messageId, status: 'sent', at: Date.now() };
        case 'pending':
          return { to: messageId, status: 'pending', at: Date.now() };
        default:
          return { to: messageId, status: 'sent', at: Date.now() };
      }
    },
    probe: async () => {
      if (script.isDeaf === true) throw new WardenError('whatsapp_timeout');
      return null;
    },
    recycle: async () => {
      if (script.ignoreShutdown === true || script.ignoreRecycle === true) return new Promise<null>(() => {});
      for (const session of starts.keys()) link(session, 'idle');
      setImmediate(() => void channel.flush().then(() => process.exit(exitCode.recycled)));
      return null;
    },
    shutdown: async () => {
      if (script.ignoreShutdown === true) return new Promise<null>(() => {});
      for (const session of starts.keys()) link(session, 'idle');
      setImmediate(() => void channel.flush().then(() => process.exit(exitCode.ok)));
      return null;
    },
  },
  notices: {},
  window: { requests: 64, bytes: 8 << 20 },
  overflow: 'wait',
  deadlineMs: 5000,
  timeoutCode: 'storage_unavailable',
  onClose: () => process.exit(exitCode.orphaned),
});

function boot(): void {
  switch (script.boot ?? 'normal') {
    case 'silent':
      return;
    case 'exit':
      return process.exit(script.code ?? 1);
    case 'throw':
      throw new Error('thrown at boot');
    case 'normal': {
      channel.notify('hello', { protocol: script.protocol ?? protocolVersion, pid: process.pid });
      let seq = 0;
      heartbeat = setInterval(() => {
        channel.notify('heartbeat', {
          seq: seq++,
          loopDelayP99Ms: 0,
          heapUsedBytes: process.memoryUsage().heapUsed,
          externalBytes: process.memoryUsage().external,
          inFlight: 0,
          sessions: Object.fromEntries([...starts.keys()].map((id) => [id, { stanzas: work.get(id) ?? 0, events: 0 }])),
        });
      }, 50);
    }
  }
}

function readScript(): TestChildScript {
  const path = process.env['TEST_CHILD_SCRIPT'];
  const script: unknown = path === undefined ? {} : JSON.parse(readFileSync(path, 'utf8'));
  return isScript(script) ? script : {};
}

function isScript(value: unknown): value is TestChildScript {
  return typeof value === 'object' && value !== null;
}

function stateFrom(params: unknown): LinkState {
  const states: readonly LinkState[] = [
    'idle',
    'connected',
    'reconnecting',
    'logged_out',
    'replaced',
    'waiting_for_qr',
  ];
  return states.find((state) => state === params) ?? 'connecting';
}

function numberFrom(params: unknown): number {
  return typeof params === 'number' ? params : 1;
}

boot();
