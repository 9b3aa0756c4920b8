/**
 * The life of a link on one page. Pure: a step takes what is so and what happened, and answers what is so now and what
 * is to be done about it.
 *
 * idle → connecting when asked. An unpaired link reaches waiting_for_qr (or waiting_for_pair_code) with the first code,
 * is restarted by WhatsApp once paired, and then goes through connecting to connected like any other. A link that ends
 * is judged by close-codes.ts: most ends lead to reconnecting with growing delays, a few to states that a person must
 * leave (logged_out, rejected, replaced for good), a ban to a retry at its end. Delays begin anew only after a link has
 * stayed open for a while: a server that accepts and drops us must not be hammered.
 */
import { assertNever } from '../contract/assert-never.ts';
import type { LinkState, PairingOffer } from '../contract/ipc.ts';
import { judgeClose, type CloseCause, type CloseRule, type CloseVerdict } from './close-codes.ts';

export interface LinkFacts {
  readonly state: LinkState;
  readonly reason: string;
  readonly code: number | null;
  /** Unix milliseconds of the next try. */
  readonly until: number | null;
  readonly qr: PairingOffer | null;
  readonly pairCode: (PairingOffer & { readonly phone: string }) | null;
  readonly isPaired: boolean;
  /** Ends in a row without a link that stayed open. */
  readonly failures: number;
  readonly openedAt: number | null;
  /** Unix milliseconds of recent restarts that WhatsApp asked for, and of conflicts. */
  readonly restarts: readonly number[];
  readonly conflicts: readonly number[];
}

export type LinkInput =
  | { readonly tag: 'connect' }
  /** Begin the pairing again on a new connection, also while one is under way. */
  | { readonly tag: 'pair_anew' }
  | { readonly tag: 'qr'; readonly offer: PairingOffer }
  | { readonly tag: 'pair_code'; readonly offer: PairingOffer & { readonly phone: string } }
  | { readonly tag: 'paired' }
  | { readonly tag: 'opened' }
  | { readonly tag: 'closed'; readonly cause: CloseCause }
  | { readonly tag: 'retry_due' }
  | { readonly tag: 'stop'; readonly reason: string }
  | { readonly tag: 'logged_out_by_us' };

export type LinkEffect =
  | { readonly tag: 'open_socket' }
  | { readonly tag: 'end_socket' }
  | { readonly tag: 'schedule_retry'; readonly at: number }
  | { readonly tag: 'cancel_retry' }
  | { readonly tag: 'reset_pairing' }
  | { readonly tag: 'forget_credentials' }
  | { readonly tag: 'tell_connected' }
  | { readonly tag: 'tell_disconnected'; readonly willReconnect: boolean }
  | { readonly tag: 'tell_logged_out' };

export interface LinkStep {
  readonly facts: LinkFacts;
  readonly effects: readonly LinkEffect[];
}

/** A link must stay open so long before its delays begin anew. */
const stableAfterMs = 60_000;
const firstDelayMs = 1_000;
const maxDelayMs = 60_000;
const slowDelayMs = 15 * 60_000;
const outdatedDelayMs = 60 * 60_000;
const replacedDelayMs = 60_000;
const banJitterMs = 30_000;
const replacedWindowMs = 10 * 60_000;
const restartWindowMs = 60_000;
const maxRestartsPerWindow = 5;
/** After so many damaged connections in a row the state says that a person should look. */
const damagedLimit = 6;

export function initialLink(isPaired: boolean): LinkFacts {
  return {
    state: 'idle',
    reason: 'The session is not connected.',
    code: null,
    until: null,
    qr: null,
    pairCode: null,
    isPaired,
    failures: 0,
    openedAt: null,
    restarts: [],
    conflicts: [],
  };
}

/** When a step happens, and what spreads its retries. */
export interface Moment {
  /** Unix milliseconds. */
  readonly now: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** One step of a link's life. */
export function stepLink(facts: LinkFacts, input: LinkInput, moment: Moment): LinkStep {
  const { now } = moment;
  switch (input.tag) {
    case 'connect':
      if (facts.state === 'connected' || isUnderWay(facts.state)) return stay(facts);
      return open(facts, 'Connecting to WhatsApp.', facts.failures);
    case 'pair_anew':
      return facts.isPaired ? stay(facts) : open(facts, 'Asking WhatsApp for a pair code.', facts.failures);
    case 'qr':
      if (facts.isPaired || !isUnderWay(facts.state) || facts.state === 'reconnecting') return stay(facts);
      return move(facts, {
        state: facts.pairCode === null ? 'waiting_for_qr' : facts.state,
        reason: facts.pairCode === null ? 'Waiting for somebody to scan the QR code.' : facts.reason,
        qr: input.offer,
      });
    case 'pair_code':
      if (facts.isPaired || !isUnderWay(facts.state)) return stay(facts);
      return move(facts, {
        state: 'waiting_for_pair_code',
        reason: 'Waiting for somebody to type the pair code into WhatsApp on the phone.',
        pairCode: input.offer,
      });
    case 'paired':
      if (facts.isPaired || !isUnderWay(facts.state)) return stay(facts);
      return move(facts, {
        state: 'connecting',
        reason: 'Paired; finishing the connection.',
        isPaired: true,
        qr: null,
        pairCode: null,
      });
    case 'opened':
      if (!isUnderWay(facts.state)) return stay(facts);
      return step(
        {
          ...facts,
          state: 'connected',
          reason: 'Connected to WhatsApp.',
          code: null,
          until: null,
          qr: null,
          pairCode: null,
          isPaired: true,
          openedAt: now,
        },
        [{ tag: 'cancel_retry' }, { tag: 'tell_connected' }],
      );
    case 'closed':
      return facts.state === 'idle' ? stay(facts) : close(facts, input.cause, moment);
    case 'retry_due':
      return facts.until === null || facts.until > now
        ? stay(facts)
        : open(facts, 'Connecting to WhatsApp.', facts.failures);
    case 'stop':
      return step(
        {
          ...facts,
          state: 'idle',
          reason: input.reason,
          until: null,
          qr: null,
          pairCode: null,
          openedAt: null,
          failures: 0,
        },
        [{ tag: 'cancel_retry' }, { tag: 'end_socket' }, ...ifOpen(facts, false)],
      );
    case 'logged_out_by_us':
      return step(
        { ...initialLink(false), state: 'logged_out', reason: 'The session was logged out; connect to pair it again.' },
        [
          { tag: 'cancel_retry' },
          { tag: 'end_socket' },
          { tag: 'forget_credentials' },
          ...ifOpen(facts, false),
          { tag: 'tell_logged_out' },
        ],
      );
    default:
      return assertNever(input);
  }
}

function close(facts: LinkFacts, cause: CloseCause, moment: Moment): LinkStep {
  const { now, random } = moment;
  const verdict = judgeClose(cause, facts.isPaired);
  const wasStable = facts.openedAt !== null && now - facts.openedAt >= stableAfterMs;
  const ended: LinkFacts = {
    ...facts,
    reason: verdict.sentence,
    code: cause.code,
    until: null,
    qr: null,
    pairCode: null,
    openedAt: null,
    failures: wasStable && !isSteady(verdict) ? 0 : facts.failures,
  };
  const next = followRule(ended, verdict.rule, { now, random });
  return step(next.facts, [...ifOpen(facts, !isOver(next.facts)), ...next.effects]);
}

/** What follows from the rule for a link that has just ended. */
function followRule(ended: LinkFacts, rule: CloseRule, moment: Moment): LinkStep {
  const { now, random } = moment;
  const soon = { delayMs: delayAfter(ended.failures, random) };
  switch (rule.tag) {
    case 'restart': {
      const restarts = [...ended.restarts.filter((at) => now - at < restartWindowMs), now];
      return restarts.length > maxRestartsPerWindow
        ? retryLater({ ...ended, restarts }, soon, moment)
        : open({ ...ended, restarts }, ended.reason, ended.failures);
    }
    case 'back_off':
      return retryLater(ended, { delayMs: Math.max(rule.minDelayMs, soon.delayMs) }, moment);
    case 'damaged':
      return ended.failures + 1 >= damagedLimit
        ? retryLater(ended, { delayMs: slowDelayMs, state: 'rejected' }, moment)
        : retryLater(ended, soon, moment);
    case 'reset_pairing': {
      const next = retryLater(ended, soon, moment);
      return step(next.facts, [{ tag: 'reset_pairing' }, ...next.effects]);
    }
    case 'pairing_expired':
      return rest({ ...ended, state: 'idle', failures: 0 }, [{ tag: 'reset_pairing' }]);
    case 'logged_out':
      return rest({ ...ended, state: 'logged_out', failures: 0, isPaired: rule.forget ? false : ended.isPaired }, [
        ...(rule.forget ? ([{ tag: 'forget_credentials' }] as const) : []),
        { tag: 'tell_logged_out' },
      ]);
    case 'replaced': {
      const conflicts = [...ended.conflicts.filter((at) => now - at < replacedWindowMs), now];
      return conflicts.length > 1
        ? rest({ ...ended, conflicts, state: 'replaced' }, [])
        : retryLater({ ...ended, conflicts }, { delayMs: replacedDelayMs, state: 'replaced' }, moment);
    }
    case 'banned': {
      const delayMs = rule.seconds * 1000 + Math.round(random() * banJitterMs);
      return retryLater(ended, { delayMs, state: 'banned' }, moment);
    }
    case 'outdated':
      return retryLater(ended, { delayMs: outdatedDelayMs, state: 'outdated' }, moment);
    case 'rejected':
      return rest({ ...ended, state: 'rejected' }, []);
    default:
      return assertNever(rule);
  }
}

/** Whether only a person brings the link back. */
function isOver(facts: LinkFacts): boolean {
  return facts.until === null && facts.state !== 'connecting';
}

function rest(facts: LinkFacts, effects: readonly LinkEffect[]): LinkStep {
  return step(facts, [{ tag: 'cancel_retry' }, ...effects]);
}

/** Doubles from one second to a minute; full jitter on the upper half, so that many sessions do not return at once. */
function delayAfter(failures: number, random: () => number): number {
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures, 10));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

interface Retry {
  readonly delayMs: number;
  /** By default reconnecting. */
  readonly state?: LinkState;
}

function retryLater(ended: LinkFacts, { delayMs, state = 'reconnecting' }: Retry, { now }: Moment): LinkStep {
  const at = now + delayMs;
  return step({ ...ended, state, until: at, failures: ended.failures + 1 }, [{ tag: 'schedule_retry', at }]);
}

function open(facts: LinkFacts, reason: string, failures: number): LinkStep {
  return step({ ...facts, state: 'connecting', reason, until: null, qr: null, pairCode: null, failures }, [
    { tag: 'cancel_retry' },
    { tag: 'open_socket' },
  ]);
}

const isSteady = (verdict: CloseVerdict): boolean => verdict.rule.tag === 'back_off' && verdict.rule.steady;

function isUnderWay(state: LinkState): boolean {
  return state === 'connecting' || state === 'waiting_for_qr' || state === 'waiting_for_pair_code';
}

function ifOpen(facts: LinkFacts, willReconnect: boolean): readonly LinkEffect[] {
  return facts.openedAt === null ? [] : [{ tag: 'tell_disconnected', willReconnect }];
}

const stay = (facts: LinkFacts): LinkStep => ({ facts, effects: [] });
const step = (facts: LinkFacts, effects: readonly LinkEffect[]): LinkStep => ({ facts, effects });
const move = (facts: LinkFacts, change: Partial<LinkFacts>): LinkStep => step({ ...facts, ...change }, []);
