/**
 * What can go wrong, by name. The book holds faults that last, for one account or for all; those that happen at once
 * are carried out by flows/close.ts. The simulator keeps faults in memory only.
 */
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Faults, User } from './types.ts';

/** Faults that happen at once to the live connections of an account. */
export const instantFaults = [
  'logout',
  'replaced',
  'stream_error',
  'disconnect',
  'corrupt_frame',
  'stream_end',
  'downgrade',
] as const;

export const mediaFaults = ['media_down', 'media_gone', 'media_slow', 'media_cut', 'media_corrupt'] as const;

/**
 * Faults that last until they are cleared or used up:
 * - `deaf`: what the client sends is not read; what the server has to say still goes out.
 * - `silent`: nothing goes out any more; what the client sends is read and carried out.
 * - `mute_queries`: iqs other than pings are not read.
 * - `slow_usync` (delay_ms), `slow_acks` (delay_ms), `drop_acks` (count), `refuse_send` (code, count)
 * - `garble` (count): what people write to the account arrives damaged, and cannot be decrypted.
 * - `refuse_login` (code, count, seconds): the next logins are refused; with 402 `seconds` is the ban's length.
 * - `ban` (seconds): connections are cut and logins refused with 402 until the time is over.
 * - `outdated`: connections are cut and logins refused with 405.
 * - of the media host, for uploads of the account and for files of its chats: `media_down` (code: an HTTP status; the
 *   connection is cut without one), `media_gone` (code, 410 when absent: files are gone until a phone uploads them
 *   again), `media_slow` (delay_ms), `media_cut` (bodies end in the middle), `media_corrupt` (a byte is wrong).
 */
export const lastingFaults = [
  'deaf',
  'silent',
  'mute_queries',
  'slow_usync',
  'slow_acks',
  'drop_acks',
  'refuse_send',
  'garble',
  'refuse_login',
  'ban',
  'outdated',
  ...mediaFaults,
] as const;

/**
 * Faults before a client has told who it is, hence for all:
 * - `refuse_upgrade` (code): an HTTP answer instead of a WebSocket.
 * - `no_upgrade`: the TCP connection is accepted and nothing is answered.
 * - `no_server_hello`: a WebSocket, and then no answer to the client's hello.
 */
export const connectionFaults = ['refuse_upgrade', 'no_upgrade', 'no_server_hello'] as const;

const parameters = {
  code: z.int().min(1).max(999).optional(),
  count: z.int().min(1).max(10_000).optional(),
  delay_ms: z.int().min(0).max(600_000).optional(),
  seconds: z.int().min(1).max(31_536_000).optional(),
};

export const accountFault = z.strictObject({ fault: z.enum([...instantFaults, ...lastingFaults]), ...parameters });
export const globalFault = z.strictObject({ fault: z.enum([...connectionFaults, ...lastingFaults]), ...parameters });

export type InstantFault = (typeof instantFaults)[number];
export type MediaFault = (typeof mediaFaults)[number];
export type LastingFault = (typeof lastingFaults)[number] | (typeof connectionFaults)[number];
export type FaultRequest = z.output<typeof accountFault> | z.output<typeof globalFault>;

interface Setting {
  readonly code: number | null;
  readonly delayMs: number;
  /** How often it can still be used; infinite when not limited. */
  readonly uses: number;
  /** Unix ms at which it ends; infinite when not limited. */
  readonly until: number;
}

/** A fault that is on; null where it has no such limit. */
export interface ActiveFault {
  readonly fault: LastingFault;
  readonly code: number | null;
  readonly delayMs: number | null;
  readonly usesLeft: number | null;
  /** Unix ms. */
  readonly until: number | null;
}

/** Why a login is refused, as the `<failure>` stanza tells it. */
export interface LoginRefusal {
  readonly reason: number;
  /** Of a temporary ban. */
  readonly ban: { readonly code: number; readonly expireS: number } | null;
}

const tempBan = 402;
/** WhatsApp's word for "sent too many messages to people who do not know you". */
const banCode = 101;
const clientOutdated = 405;
const serviceUnavailable = 503;

export class FaultBook implements Faults {
  readonly #clock: Clock;
  readonly #global = new Map<LastingFault, Setting>();
  readonly #accounts = new Map<User, Map<LastingFault, Setting>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets a lasting fault of one account, or of all with null; the same fault set before is replaced. */
  set(user: User | null, fault: LastingFault, request: FaultRequest): void {
    const setting: Setting = {
      code: request.code ?? null,
      delayMs: request.delay_ms ?? 0,
      uses: request.count ?? Number.POSITIVE_INFINITY,
      until: request.seconds === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() + request.seconds * 1000,
    };
    const faults = user === null ? this.#global : (this.#accounts.get(user) ?? new Map<LastingFault, Setting>());
    faults.set(fault, setting);
    if (user !== null) this.#accounts.set(user, faults);
  }

  /** Clears all lasting faults of one account, or with null those that are set for all; or only the one named. */
  clear(user: User | null, fault?: LastingFault): void {
    const faults = user === null ? this.#global : this.#accounts.get(user);
    if (fault === undefined) faults?.clear();
    else faults?.delete(fault);
  }

  /** The lasting faults of one account that are on, in the order in which they were set. */
  list(user: User): readonly ActiveFault[] {
    const now = this.#clock.now();
    return [...(this.#accounts.get(user) ?? [])]
      .filter(([, { until }]) => until > now)
      .map(([fault, { code, delayMs, uses, until }]) => ({
        fault,
        code,
        delayMs: delayMs === 0 ? null : delayMs,
        usesLeft: Number.isFinite(uses) ? uses : null,
        until: Number.isFinite(until) ? until : null,
      }));
  }

  /** Whether a fault is on for this user (null: a client that has not told who it is). */
  isOn(user: User | null, fault: LastingFault): boolean {
    return this.#find(user, fault) !== undefined;
  }

  delayMs(user: User | null, fault: LastingFault): number {
    return this.#find(user, fault)?.setting.delayMs ?? 0;
  }

  /** The HTTP status with which upgrades are refused, or null. */
  upgradeRefusal(): number | null {
    return this.#take(null, 'refuse_upgrade', 503);
  }

  /** Why this user (null: a client that wants to pair) may not log in now; uses up a counted fault. */
  takeLoginRefusal(user: User | null): LoginRefusal | null {
    const ban = this.#find(user, 'ban');
    if (ban !== undefined) return { reason: tempBan, ban: { code: banCode, expireS: this.#remainingS(ban.setting) } };
    if (this.isOn(user, 'outdated')) return { reason: clientOutdated, ban: null };
    const refusal = this.#find(user, 'refuse_login');
    const reason = this.#take(user, 'refuse_login', serviceUnavailable);
    if (refusal === undefined || reason === null) return null;
    const expireS = this.#remainingS(refusal.setting);
    return { reason, ban: reason === tempBan ? { code: banCode, expireS } : null };
  }

  takeSendRefusal(user: User): number | null {
    return this.#take(user, 'refuse_send', 463);
  }

  takeDroppedAck(user: User): boolean {
    return this.#take(user, 'drop_acks', 1) !== null;
  }

  takeGarbled(user: User): boolean {
    return this.#take(user, 'garble', 1) !== null;
  }

  ackDelayMs(user: User): number {
    return this.delayMs(user, 'slow_acks');
  }

  /** A fault of the media host as it meets this account (null: nobody known); uses up a counted one. */
  takeMediaFault(
    user: User | null,
    fault: MediaFault,
  ): { readonly code: number | null; readonly delayMs: number } | null {
    const setting = this.#find(user, fault)?.setting;
    if (setting === undefined) return null;
    this.#take(user, fault, 0);
    return { code: setting.code, delayMs: setting.delayMs };
  }

  #remainingS(setting: Setting): number {
    return setting.until === Number.POSITIVE_INFINITY ? 3600 : Math.ceil((setting.until - this.#clock.now()) / 1000);
  }

  #find(user: User | null, fault: LastingFault) {
    for (const faults of [user === null ? undefined : this.#accounts.get(user), this.#global]) {
      const setting = faults?.get(fault);
      if (faults === undefined || setting === undefined) continue;
      if (setting.until > this.#clock.now()) return { faults, setting };
      faults.delete(fault);
    }
    return undefined;
  }

  /** The fault's code, used up by one; null when the fault is not on. */
  #take(user: User | null, fault: LastingFault, defaultCode: number): number | null {
    const found = this.#find(user, fault);
    if (found === undefined) return null;
    const { faults, setting } = found;
    if (setting.uses <= 1) faults.delete(fault);
    else faults.set(fault, { ...setting, uses: setting.uses - 1 });
    return setting.code ?? defaultCode;
  }
}
