/** One connection to WhatsApp: the library's socket with the settings and the mendings that a gateway needs. */
import {
  Browsers,
  DEFAULT_CONNECTION_CONFIG,
  WA_CERT_DETAILS,
  makeWASocket,
  type BinaryNode,
  type UserFacingSocketConfig,
  type BaileysEventMap,
  type WAMessage,
  type WAMessageKey,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { LinkLimits, LinkTarget } from '../../contract/ipc.ts';
import { trusted } from '../../contract/trusted.ts';
import type { CloseCause } from '../close-codes.ts';
import type { AuthState } from './auth-state.ts';
import { closeCauseOf } from './close-cause.ts';
import { durableSignalRepository } from './durable-signal.ts';
import type { GroupCache } from './group-cache.ts';
import type { GroupNotice } from './group-notices.ts';
import { knownGroup, libraryMetadata } from './group-queries.ts';
import { watchGroups } from './group-watch.ts';
import { holdStanzas } from './held-stanzas.ts';
import type { Inbox } from './inbox.ts';
import { prepareTls, trustAuthority } from './trust.ts';

export type { BinaryNode, WAMessage, WAMessageKey, WASocket };

export interface LinkSocketOptions {
  readonly target: LinkTarget;
  readonly limits: LinkLimits;
  readonly version: readonly [number, number, number] | null;
  readonly auth: AuthState;
  readonly inbox: Inbox;
  readonly groups: GroupCache;
  readonly caches: Pick<UserFacingSocketConfig, 'userDevicesCache' | 'msgRetryCounterCache'>;
  readonly logger: NonNullable<UserFacingSocketConfig['logger']>;
  readonly getMessage: NonNullable<UserFacingSocketConfig['getMessage']>;
  /** Lifetime of QR codes on this connection; null keeps WhatsApp's. */
  readonly qrTimeoutMs: number | null;
  readonly on: LinkSocketListener;
}

/** What a connection tells; nothing comes after `closed`. */
export interface LinkSocketListener {
  qr(code: string, lifetimeMs: number): void;
  paired(): void;
  opened(): void;
  closed(cause: CloseCause): void;
  stanza(): void;
  ack(attrs: Readonly<Record<string, string>>): void;
  messages(sock: WASocket, messages: readonly WAMessage[], isBackfill: boolean): void;
  /** A receipt as it came. Null for one that tells nothing of the account's messages; otherwise it resolves as `group`. */
  receipt(sock: WASocket, stanza: BinaryNode): Promise<boolean> | null;
  /** Presence, chat states, calls and notifications, as they came; answers as `receipt` does. */
  people(sock: WASocket, stanza: BinaryNode): Promise<boolean> | null;
  /** Resolves with true when it is recorded, and WhatsApp hears of it; with false it tells it again. */
  group(sock: WASocket, notice: GroupNotice): Promise<boolean>;
  /** Something that came could not be read. */
  unreadable(what: string): void;
}

const firstQrMs = 60_000;
const laterQrMs = 20_000;
/** Messages are held until WhatsApp says that the backlog is over, which it sometimes never does (upstream issue 2810). */
const flushAfterOpenMs = 5_000;
/** A half-open connection may take half a minute to close; nobody waits for that. */
const endPatienceMs = 2_000;

export interface LinkSocket {
  readonly sock: WASocket;
  /** Ends the connection without logging out; `closed` is not told. */
  end(): Promise<void>;
  /** Ends it as if it had broken; `closed` is told. */
  abort(reason: string): void;
}

export function openLinkSocket(options: LinkSocketOptions): LinkSocket {
  const { auth, inbox, limits, on, target } = options;
  trustRoot(target.rootKeyHex);
  if (target.caPem !== null) trustAuthority(target.caPem);
  if (target.url?.startsWith('ws:') !== true) prepareTls();
  resetInterruptedPairing(auth);
  const sock = makeWASocket({
    auth,
    logger: options.logger,
    browser: Browsers.macOS('Chrome'),
    ...(target.url === null ? {} : { waWebSocketUrl: target.url }),
    ...(options.version === null ? {} : { version: [...options.version] }),
    ...(options.qrTimeoutMs === null ? {} : { qrTimeout: options.qrTimeoutMs }),
    connectTimeoutMs: limits.connectTimeoutMs,
    defaultQueryTimeoutMs: limits.queryTimeoutMs,
    keepAliveIntervalMs: limits.keepAliveMs,
    transactionOpts: { maxCommitRetries: 3, delayBetweenTriesMs: 500 },
    emitOwnEvents: false,
    markOnlineOnConnect: false,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
    generateHighQualityLinkPreview: false,
    enableRecentMessageCache: false,
    shouldIgnoreJid: (jid) => jid.endsWith('@broadcast') || jid.endsWith('@newsletter'),
    makeSignalRepository: durableSignalRepository(inbox),
    getMessage: options.getMessage,
    cachedGroupMetadata: async (jid) => libraryMetadata(await knownGroup({ sock, groups: options.groups }, jid)),
    ...options.caches,
  });

  let isOver = false;
  let qrCount = 0;
  let flushTimer: NodeJS.Timeout | undefined;
  const openTimer = setTimeout(() => abort('the link did not open in time'), limits.openTimeoutMs);
  const over = (cause: CloseCause): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(openTimer);
    clearTimeout(flushTimer);
    on.closed(cause);
  };
  const abort = (reason: string): void => {
    void endQuietly(sock, new Error(reason)).finally(() => over(closeCauseOf(new Error(reason))));
  };

  // Before anybody else listens to notifications.
  watchGroups(sock, {
    changed: (group) => options.groups.forget(group),
    noticed: (notice) => on.group(sock, notice),
    failed: () => on.unreadable('a notification about a group'),
  });
  sock.ws.prependListener('CB:message', (node: BinaryNode) => inbox.expect(node));
  sock.ws.on('frame', () => on.stanza());
  sock.ws.on('CB:ack,class:message', (node: BinaryNode) => on.ack(node.attrs));
  for (const tag of ['presence', 'chatstate']) {
    sock.ws.on(`CB:${tag}`, (node: BinaryNode) => void on.people(sock, node));
  }
  // After the groups' turn: theirs are held there.
  for (const tag of ['notification', 'call', 'receipt'] as const) {
    const told = tag === 'receipt' ? on.receipt : on.people;
    holdStanzas(sock, { tag, record: (node) => told(sock, node), failed: () => on.unreadable(`a ${tag}`) });
  }
  // Without these two the library waits for ever: for an upgrade that was answered otherwise, and on a broken frame.
  sock.ws.on('unexpected-response', (_request: unknown, response: { statusCode?: number }) => {
    abort(`the server answered HTTP ${response.statusCode ?? 'nothing'} instead of a WebSocket`);
  });
  endOnBrokenFrame(sock, abort);

  // The library listens first: the update is part of the credentials by now.
  sock.ev.on('creds.update', () => void auth.saveCreds().catch(() => abort('the credentials could not be saved')));
  sock.ev.on('connection.update', (update) => {
    if (isOver) return;
    if (update.qr !== undefined) {
      clearTimeout(openTimer);
      on.qr(update.qr, options.qrTimeoutMs ?? (qrCount++ === 0 ? firstQrMs : laterQrMs));
    }
    // The credentials follow by themselves; WhatsApp may end this connection before they are saved.
    if (update.isNewLogin === true) on.paired();
    if (update.connection === 'open') {
      clearTimeout(openTimer);
      flushTimer = setTimeout(() => sock.ev.flush(), flushAfterOpenMs);
      on.opened();
    }
    if (update.connection === 'close') over(closeCauseOf(update.lastDisconnect?.error));
  });
  hearAtOnce(sock, 'messages.upsert', ({ messages, type }) => on.messages(sock, messages.map(copy), type === 'append'));

  return {
    sock,
    abort,
    end: async () => {
      isOver = true;
      clearTimeout(openTimer);
      clearTimeout(flushTimer);
      await endQuietly(sock, undefined);
    },
  };
}

/**
 * Hears of an event when the library tells it, before its buffer: there a later edit or deletion of the same batch takes
 * the place of the message that it changes, and everything waits for the end of a backlog.
 */
function hearAtOnce<Name extends keyof BaileysEventMap>(
  sock: WASocket,
  name: Name,
  listener: (data: BaileysEventMap[Name]) => void,
): void {
  const tell = sock.ev.emit.bind(sock.ev);
  const emit = (told: keyof BaileysEventMap, data: unknown): boolean => {
    // The library emits under a name only what it declares for that name.
    if (told === name) listener(trusted<BaileysEventMap[Name]>(data));
    return trusted<boolean>(Reflect.apply(tell, sock.ev, [told, data]));
  };
  Object.assign(sock.ev, { emit });
}

/** The library goes on to change what it has told. */
function copy(message: WAMessage): WAMessage {
  return { ...message, key: { ...message.key } };
}

/** The version that is announced to WhatsApp, as text. */
export function announcedVersion(version: readonly [number, number, number] | null): string {
  return (version ?? DEFAULT_CONNECTION_CONFIG.version).join('.');
}

/**
 * The Noise root key is a mutable export of the library, read by reference when a certificate chain is checked. Only a
 * child whose sessions all share one target ever sets it.
 */
function trustRoot(rootKeyHex: string | null): void {
  if (rootKeyHex !== null) Object.assign(WA_CERT_DETAILS, { PUBLIC_KEY: Buffer.from(rootKeyHex, 'hex') });
}

/**
 * An interrupted pair code leaves an identity that WhatsApp never confirmed; the library would log in with it and be
 * refused with 401.
 */
function resetInterruptedPairing(auth: AuthState): void {
  if (auth.creds.account !== undefined) return;
  delete auth.creds.me;
  auth.creds.pairingCode = undefined;
}

/** A frame that does not decrypt is an unhandled rejection in the library, for itself and for every later one. */
function endOnBrokenFrame(sock: WASocket, abort: (reason: string) => void): void {
  const listeners = sock.ws.listeners('message');
  sock.ws.removeAllListeners('message');
  sock.ws.on('message', (data: unknown) => {
    for (const listener of listeners) {
      void Promise.resolve(Reflect.apply(listener, sock.ws, [data])).catch(() =>
        abort('a frame could not be decrypted'),
      );
    }
  });
}

/** Ends the socket and never rejects; a connection that is still being made is torn down too. */
async function endQuietly(sock: WASocket, error: Error | undefined): Promise<void> {
  const ended = sock.end(error).catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, endPatienceMs);
  });
  await Promise.race([ended, patience]);
  clearTimeout(timer);
}
