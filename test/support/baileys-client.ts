/** A bare client on the real, unmodified Baileys, with its keys in memory: for tests of the simulator. */
import {
  type AuthenticationCreds,
  type BinaryNode,
  type ConnectionState,
  initAuthCreds,
  makeWASocket,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type UserFacingSocketConfig,
  WA_CERT_DETAILS,
  type WAMessage,
  type WAMessageUpdate,
  type WASocket,
} from '@whiskeysockets/baileys';
import { deserialize, serialize } from 'node:v8';
import { pino } from 'pino';
import { eventually } from './eventually.ts';

// libsignal writes whole sessions, private keys included, to the console.
for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) console[name] = () => undefined;

// Baileys never clears the timer of a pre-key upload, which would keep a test process alive for half a minute.
const uploadTimeoutMs = 30_000;
const setTimer = globalThis.setTimeout;
const setTimerOfTests = (callback: () => void, delayMs?: number, ...args: []) => {
  const timer = setTimer(callback, delayMs, ...args);
  return delayMs === uploadTimeoutMs ? timer.unref() : timer;
};
Reflect.set(globalThis, 'setTimeout', Object.assign(setTimerOfTests, setTimer));

const restartRequired = 515;

export interface ClientSettings {
  readonly wsUrl: string;
  readonly rootKeyHex: string;
  /** Whose keys to use; new ones when absent. */
  readonly auth?: ClientAuth;
  readonly config?: Partial<UserFacingSocketConfig>;
}

export interface ClientAuth {
  readonly creds: AuthenticationCreds;
  readonly keys: SignalKeyStore;
}

/** A deep copy. structuredClone would copy the whole slab below each small buffer, some 50 MB per client. */
function copyOf<Value>(value: Value): Value {
  // oxlint-disable-next-line typescript/no-unsafe-return -- deserialize knows no types, and gives back what was put in
  return deserialize(serialize(value));
}

/** Keys in memory; what is read is a copy, as from a real store. */
export function memoryAuth(): ClientAuth {
  const data: { readonly [Type in keyof SignalDataTypeMap]: Map<string, SignalDataTypeMap[Type]> } = {
    'pre-key': new Map(),
    session: new Map(),
    'sender-key': new Map(),
    'sender-key-memory': new Map(),
    'app-state-sync-key': new Map(),
    'app-state-sync-version': new Map(),
    'lid-mapping': new Map(),
    'device-list': new Map(),
    tctoken: new Map(),
    'identity-key': new Map(),
  };
  const put = <Type extends keyof SignalDataTypeMap>(type: Type, values: SignalDataSet[Type]) => {
    for (const id of Object.keys(values ?? {})) {
      const value = values?.[id];
      if (value === null || value === undefined) data[type].delete(id);
      else data[type].set(id, copyOf(value));
    }
  };
  const keys: SignalKeyStore = {
    get<Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) {
      const found: { [id: string]: SignalDataTypeMap[Type] } = {};
      for (const id of ids) {
        const value = data[type].get(id);
        if (value !== undefined) found[id] = copyOf(value);
      }
      return found;
    },
    set(changes: SignalDataSet) {
      put('pre-key', changes['pre-key']);
      put('session', changes.session);
      put('sender-key', changes['sender-key']);
      put('sender-key-memory', changes['sender-key-memory']);
      put('app-state-sync-key', changes['app-state-sync-key']);
      put('app-state-sync-version', changes['app-state-sync-version']);
      put('lid-mapping', changes['lid-mapping']);
      put('device-list', changes['device-list']);
      put('tctoken', changes.tctoken);
      put('identity-key', changes['identity-key']);
    },
  };
  return { creds: initAuthCreds(), keys };
}

/** One account's client over any number of connections; it follows a 515 by itself, as every client must. */
export class BaileysClient {
  readonly auth: ClientAuth;
  /** Every `connection.update`, oldest first. */
  readonly updates: Partial<ConnectionState>[] = [];
  /** Status codes with which connections were closed, 515 left out. */
  readonly closeCodes: (number | undefined)[] = [];
  readonly closeErrors: unknown[] = [];
  readonly messages: WAMessage[] = [];
  readonly messageUpdates: WAMessageUpdate[] = [];
  /** The server's `<ack class=message>` stanzas. */
  readonly acks: BinaryNode[] = [];
  /** HTTP answers in place of a WebSocket. */
  readonly httpStatuses: number[] = [];
  isOpen = false;
  readonly #settings: ClientSettings;
  #socket: WASocket | null = null;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.auth = settings.auth ?? memoryAuth();
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(settings.rootKeyHex, 'hex');
  }

  get socket(): WASocket {
    if (this.#socket === null) throw new Error('the client has not connected yet');
    return this.#socket;
  }

  /** The account's own JID without device. */
  get jid(): string {
    return (this.auth.creds.me?.id ?? '').replace(/:\d+@/, '@');
  }

  /** Begins a connection. */
  connect(): void {
    const socket = makeWASocket({
      auth: this.auth,
      logger: pino({ level: 'silent' }),
      waWebSocketUrl: this.#settings.wsUrl,
      version: [2, 3000, 1_043_857_760],
      syncFullHistory: false,
      shouldSyncHistoryMessage: () => false,
      markOnlineOnConnect: false,
      emitOwnEvents: false,
      connectTimeoutMs: 5000,
      defaultQueryTimeoutMs: 10_000,
      ...this.#settings.config,
    });
    this.#socket = socket;
    socket.ev.on('messages.upsert', ({ messages }) => this.messages.push(...messages));
    socket.ev.on('messages.update', (updates) => this.messageUpdates.push(...updates));
    socket.ws.on('CB:ack,class:message', (node: BinaryNode) => this.acks.push(node));
    socket.ws.on('unexpected-response', (_request: unknown, response: { statusCode?: number }) => {
      this.httpStatuses.push(response.statusCode ?? 0);
      void socket.end(new Error('the server refused the WebSocket'));
    });
    socket.ev.on('connection.update', (update) => {
      this.updates.push(update);
      if (update.connection === 'open') this.isOpen = true;
      if (update.connection !== 'close') return;
      this.isOpen = false;
      const code = closeCode(update.lastDisconnect?.error);
      if (code === restartRequired && this.#socket === socket) return this.connect();
      this.closeCodes.push(code);
      this.closeErrors.push(update.lastDisconnect?.error);
    });
  }

  /** Connects and waits until the connection is open. */
  async open(deadlineMs = 15_000): Promise<void> {
    this.connect();
    await this.untilOpen(deadlineMs);
  }

  /** Waits until the connection is open; fails when it was closed instead. */
  async untilOpen(deadlineMs = 15_000): Promise<void> {
    await eventually(
      () => this.isOpen,
      deadlineMs,
      () => this.updates.slice(-3),
    );
  }

  /** The code with which the `count`-th connection was closed. */
  async untilClosed(count = 1, deadlineMs = 15_000): Promise<number | undefined> {
    await eventually(
      () => this.closeCodes.length >= count,
      deadlineMs,
      () => this.updates.slice(-3),
    );
    return this.closeCodes[count - 1];
  }

  /** The QR code that the client shows. */
  async qr(): Promise<string> {
    return eventually(() => this.updates.findLast((update) => update.qr !== undefined)?.qr);
  }

  /** Ends the connection without logging out. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    this.isOpen = false;
    await socket?.end(undefined);
  }
}

function closeCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('output' in error)) return undefined;
  const { output } = error;
  if (typeof output !== 'object' || output === null || !('statusCode' in output)) return undefined;
  return typeof output.statusCode === 'number' ? output.statusCode : undefined;
}
