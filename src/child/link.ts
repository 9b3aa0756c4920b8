/**
 * Drives one link: feeds what happens to the link machine and performs the effects that it answers. Knows sockets and
 * timers, decides nothing.
 */
import type { Clock } from '../clock.ts';
import { assertNever } from '../contract/assert-never.ts';
import { WardenError, toWardenError } from '../contract/errors.ts';
import { userOf } from '../contract/ids.ts';
import type { InboxEntry, LinkSnapshot, PairingOffer, StartSession, ToChild } from '../contract/ipc.ts';
import { Acks } from './engine/acks.ts';
import { createAuthState, type AuthState } from './engine/auth-state.ts';
import { createCache } from './engine/caches.ts';
import { GroupCache } from './engine/group-cache.ts';
import { Inbox } from './engine/inbox.ts';
import { libraryLogger } from './engine/library-log.ts';
import { confirmedLogout } from './engine/logout.ts';
import { decodeContent } from './engine/message-content.ts';
import {
  announcedVersion,
  openLinkSocket,
  type LinkSocket,
  type LinkSocketListener,
  type WASocket,
} from './engine/link-socket.ts';
import { deviceOf, isPaired } from './engine/device.ts';
import { requestPairCode } from './engine/pair-code.ts';
import { initialLink, stepLink, type LinkEffect, type LinkFacts, type LinkInput } from './link-machine.ts';
import type { StoreClient } from './store-client.ts';

/** What a link tells its session. */
export interface LinkListener extends Pick<LinkSocketListener, 'stanza' | 'messages' | 'receipt' | 'people' | 'group'> {
  changed(snapshot: LinkSnapshot): void;
  qr(offer: PairingOffer): void;
  pairCode(offer: PairingOffer & { readonly phone: string }): void;
  connected(isNewLogin: boolean): void;
  disconnected(facts: LinkFacts, willReconnect: boolean): void;
  loggedOut(facts: LinkFacts): void;
  /** An ack that no send waits for any more. */
  lateAck(attrs: Readonly<Record<string, string>>): void;
  /** Whether a message that cannot be decrypted is to be noted in the inbox. */
  mayNote(messageId: string): boolean;
  /** It is noted. */
  noted(entry: InboxEntry): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', text: string, code: number | null): void;
}

interface LinkOptions {
  readonly start: StartSession;
  readonly store: StoreClient;
  readonly listener: LinkListener;
  readonly clock: Clock;
  readonly random: () => number;
}

type PairCodeRequest = Omit<ToChild['pair_code']['body'], 'session'>;

interface PendingPairCode {
  readonly request: PairCodeRequest;
  readonly resolve: (offer: PairingOffer) => void;
  readonly reject: (error: WardenError) => void;
}

/** The library ends a pairing after six codes; at a minute each a person has time to type a pair code. */
const pairCodeQrTimeoutMs = 60_000;
/** How long WhatsApp takes a pair code; it says so nowhere, phones refuse it after less than three minutes. */
const pairCodeLifetimeMs = 160_000;
const deviceListTtlMs = 24 * 3_600_000;
const longestTimerMs = 60_000;

export class Link {
  readonly acks = new Acks();
  readonly inbox: Inbox;
  readonly groups = new GroupCache();
  readonly #options: LinkOptions;
  readonly #caches = {
    userDevicesCache: createCache(5_000, deviceListTtlMs),
    msgRetryCounterCache: createCache(2_000, 3_600_000),
  };
  #auth: AuthState;
  #facts: LinkFacts;
  #socket: LinkSocket | null = null;
  #retryTimer: NodeJS.Timeout | undefined;
  #pairCode: PendingPairCode | null = null;
  #isNewLogin = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.inbox = new Inbox(options.start.inbox, options.listener);
    this.#auth = createAuthState(options.store, options.start.creds);
    this.#facts = initialLink(isPaired(this.#auth.creds));
  }

  get own(): { readonly id: string; readonly lid: string } {
    return { id: this.#auth.creds.me?.id ?? '', lid: this.#auth.creds.me?.lid ?? '' };
  }

  /** The socket of an open link. Throws `session_not_connected`. */
  requireOpen(): WASocket {
    if (this.#socket === null || this.#facts.state !== 'connected') {
      throw new WardenError('session_not_connected', { message: this.#facts.reason });
    }
    return this.#socket.sock;
  }

  /** The socket as it is, open or not. */
  socket(): WASocket | null {
    return this.#socket?.sock ?? null;
  }

  snapshot(): LinkSnapshot {
    const { state, reason, code, until, qr, pairCode } = this.#facts;
    const { start } = this.#options;
    const paired = isPaired(this.#auth.creds);
    const device = paired ? deviceOf(this.#auth.creds, announcedVersion(start.version)) : null;
    return { session: start.session, state, reason, code, until, qr, pairCode, device, isPaired: paired };
  }

  connect(): void {
    this.#feed({ tag: 'connect' });
  }

  /** Closes the link; the pairing stays. */
  async stop(reason: string): Promise<void> {
    const socket = this.#socket;
    this.#feed({ tag: 'stop', reason });
    await socket?.end();
  }

  /** Unlinks this device at WhatsApp, then forgets the credentials. Throws when WhatsApp does not confirm. */
  async logOut(): Promise<void> {
    try {
      await confirmedLogout(this.requireOpen());
    } catch (error) {
      // WhatsApp may end the stream with the news before it answers.
      if (this.#facts.state !== 'logged_out') throw error;
      return;
    }
    if (this.#facts.state !== 'logged_out') this.#feed({ tag: 'logged_out_by_us' });
  }

  /** Begins a pairing by code and answers the code. Throws `already_paired` or why WhatsApp gave none. */
  requestPairCode(request: PairCodeRequest): Promise<PairingOffer> {
    if (this.#facts.isPaired) return Promise.reject(new WardenError('already_paired'));
    this.#pairCode?.reject(new WardenError('not_pairing', { message: 'Another pair code was asked for.' }));
    const { promise, resolve, reject } = Promise.withResolvers<PairingOffer>();
    this.#pairCode = { request, resolve, reject };
    this.#feed({ tag: 'pair_anew' });
    return promise;
  }

  #feed(input: LinkInput, now = this.#now()): void {
    const { facts, effects } = stepLink(this.#facts, input, { now, random: this.#options.random });
    if (facts === this.#facts && effects.length === 0) return;
    this.#facts = facts;
    for (const effect of effects) this.#perform(effect);
    this.#options.listener.changed(this.snapshot());
  }

  #perform(effect: LinkEffect): void {
    const { listener } = this.#options;
    switch (effect.tag) {
      case 'open_socket':
        this.#open();
        break;
      case 'end_socket':
        void this.#socket?.end();
        this.#forgetSocket();
        break;
      case 'schedule_retry':
        this.#scheduleRetry(effect.at);
        break;
      case 'cancel_retry':
        clearTimeout(this.#retryTimer);
        break;
      case 'reset_pairing':
        delete this.#auth.creds.me;
        this.#auth.creds.pairingCode = undefined;
        this.#save();
        break;
      case 'forget_credentials':
        void this.#options.store
          .clearCredentials()
          .catch(() => listener.log('error', 'credentials could not be deleted', null));
        this.#auth = createAuthState(this.#options.store, null);
        break;
      case 'tell_connected':
        this.#giveName();
        listener.connected(this.#isNewLogin);
        this.#isNewLogin = false;
        break;
      case 'tell_disconnected':
        listener.disconnected(this.#facts, effect.willReconnect);
        break;
      case 'tell_logged_out':
        listener.loggedOut(this.#facts);
        break;
      default:
        assertNever(effect);
    }
  }

  #open(): void {
    const { start, store, listener } = this.#options;
    void this.#socket?.end();
    this.#forgetSocket();
    this.groups.clear();
    const on: LinkSocketListener = {
      qr: (code, lifetimeMs) => ifCurrent(() => this.#gotQr(code, lifetimeMs)),
      paired: () =>
        ifCurrent(() => {
          this.#isNewLogin = true;
          this.#feed({ tag: 'paired' });
        }),
      opened: () => ifCurrent(() => this.#feed({ tag: 'opened' })),
      closed: (cause) =>
        ifCurrent(() => {
          listener.log('info', 'the link ended', cause.code);
          this.#forgetSocket();
          this.#feed({ tag: 'closed', cause });
          this.#rejectPairCode(new WardenError('whatsapp_timeout', { message: this.#facts.reason }));
        }),
      stanza: listener.stanza,
      messages: listener.messages,
      receipt: listener.receipt,
      people: listener.people,
      group: listener.group,
      unreadable: (what) => listener.log('warn', `${what} could not be read`, null),
      ack: (attrs) => this.#gotAck(attrs),
    };
    const socket = openLinkSocket({
      target: start.target,
      limits: start.limits,
      version: start.version,
      auth: this.#auth,
      inbox: this.inbox,
      groups: this.groups,
      caches: this.#caches,
      logger: libraryLogger((level, text) => listener.log(level, text, null)),
      getMessage: async (key) => {
        const bytes = (key.id ? await store.message(key.id) : null)?.proto ?? null;
        return bytes === null ? undefined : decodeContent(bytes);
      },
      qrTimeoutMs: this.#pairCode === null ? start.limits.qrTimeoutMs : pairCodeQrTimeoutMs,
      on,
    });
    this.#socket = socket;
    const ifCurrent = (work: () => void): void => {
      if (this.#socket === socket) work();
    };
  }

  #gotQr(code: string, lifetimeMs: number): void {
    const attempt = (this.#facts.qr?.attempt ?? 0) + 1;
    const offer = { code, expiresAt: this.#now() + lifetimeMs, attempt };
    this.#feed({ tag: 'qr', offer });
    if (this.#pairCode !== null) void this.#askForPairCode(this.#pairCode);
    else if (this.#facts.pairCode === null) this.#options.listener.qr(offer);
  }

  async #askForPairCode(pending: PendingPairCode): Promise<void> {
    this.#pairCode = null;
    const socket = this.#socket;
    if (socket === null) return;
    try {
      const code = await requestPairCode(socket.sock, pending.request);
      const { phone } = pending.request;
      const offer = { code, phone, expiresAt: this.#now() + pairCodeLifetimeMs, attempt: 1 };
      this.#feed({ tag: 'pair_code', offer });
      this.#options.listener.pairCode(offer);
      pending.resolve(offer);
    } catch (error) {
      pending.reject(toWardenError(error));
    }
  }

  #rejectPairCode(error: WardenError): void {
    this.#pairCode?.reject(error);
    this.#pairCode = null;
  }

  #gotAck(attrs: Readonly<Record<string, string>>): void {
    const at = Number(attrs['t']) > 0 ? Number(attrs['t']) * 1000 : this.#now();
    const { id, error, from } = attrs;
    // Who is told that the account may not write there learns that the group has changed.
    if (error !== undefined && from !== undefined) this.groups.forget(from);
    if (id === undefined) return;
    const ack = error === undefined ? ({ tag: 'acked', at } as const) : ({ tag: 'refused', code: error, at } as const);
    if (!this.acks.arrived(id, ack)) this.#options.listener.lateAck(attrs);
  }

  #forgetSocket(): void {
    this.#socket = null;
    this.acks.giveUp();
  }

  /**
   * Waits in short steps: a timer of more than 24 days fires at once. Over when the machine's clock says so, which goes
   * on while the machine sleeps, or when the time has passed, although somebody has set that clock back.
   */
  #scheduleRetry(at: number): void {
    const { clock } = this.#options;
    const passedAt = clock.monotonic() + Math.max(0, at - clock.now());
    const leftMs = (): number => Math.max(0, Math.min(at - clock.now(), passedAt - clock.monotonic()));
    const wait = (): void => {
      const step = (): void => (leftMs() > 0 ? wait() : this.#feed({ tag: 'retry_due' }, Math.max(at, this.#now())));
      this.#retryTimer = setTimeout(step, Math.min(leftMs(), longestTimerMs));
    };
    clearTimeout(this.#retryTimer);
    wait();
  }

  /** Without a name the library neither sends presence nor active receipts, and ordinary accounts come without one. */
  #giveName(): void {
    const { me } = this.#auth.creds;
    if (me === undefined || (me.name !== undefined && me.name !== '~')) return;
    const name = this.#options.start.fallbackName || userOf(me.id);
    this.#socket?.sock.ev.emit('creds.update', { me: { ...me, name } });
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #save(): void {
    void this.#auth
      .saveCreds()
      .catch(() => this.#options.listener.log('error', 'credentials could not be saved', null));
  }
}
