/** What the simulator saw and what it holds against a client; judged per account and in total. */
import { createHash } from 'node:crypto';
import type { Device, Oracle, OracleReport, RatchetPosition, User } from './types.ts';

/** Distinct unknown stanzas that are remembered per account. */
const unknownStanzasKept = 100;
const unreadableMediaKept = 100;
/** Message ids that are remembered per account and per device. */
const idsKept = 50_000;

interface Ledger {
  readonly unknownStanzas: Set<string>;
  readonly awaiting: Map<string, Set<string>>;
  /** By sender, ratchet key and counter: a digest of the ciphertext. */
  readonly positions: Map<string, string>;
  readonly unreadableMedia: string[];
  readonly receivedIds: Set<string>;
  /** By device: ids of the messages that were sent to it. */
  readonly offered: Map<string, Set<string>>;
  repeatedMessages: number;
  unfoundedConfirmations: number;
  repeatedPositions: number;
  resentCiphertexts: number;
  handshakes: number;
  logins: number;
  received: number;
  delivered: number;
}

/** The oracle as the simulator's own flows use it. */
export interface OwnOracle extends Oracle {
  /** A companion was unlinked: nothing is expected of it any more. */
  deviceGone(device: Device): void;
}

export function createOracle(): OwnOracle {
  const strangers = newLedger();
  const ledgers = new Map<User, Ledger>();
  const of = (user: User | null): Ledger => {
    if (user === null) return strangers;
    const known = ledgers.get(user);
    if (known !== undefined) return known;
    const ledger = newLedger();
    ledgers.set(user, ledger);
    return ledger;
  };
  return {
    unknownStanza(user, description) {
      const { unknownStanzas } = of(user);
      if (unknownStanzas.size < unknownStanzasKept) unknownStanzas.add(description);
    },
    handshake(user) {
      of(user).handshakes += 1;
    },
    login(user) {
      of(user).logins += 1;
    },
    received(user, id) {
      const ledger = of(user);
      ledger.received += 1;
      if (id === null) return;
      if (ledger.receivedIds.has(id)) ledger.repeatedMessages += 1;
      remember(ledger.receivedIds, id);
    },
    offered(device, id) {
      const { offered } = of(device.user);
      const ids = offered.get(device.lid) ?? new Set();
      offered.set(device.lid, ids);
      remember(ids, id);
    },
    confirmed(device, ids) {
      const ledger = of(device.user);
      const offered = ledger.offered.get(device.lid);
      ledger.unfoundedConfirmations += ids.filter((id) => offered?.has(id) !== true).length;
    },
    delivered(user) {
      of(user).delivered += 1;
    },
    awaiting(device, key) {
      const { awaiting } = of(device.user);
      const keys = awaiting.get(device.jid) ?? new Set();
      awaiting.set(device.jid, keys.add(key));
    },
    answered(device, key) {
      of(device.user).awaiting.get(device.jid)?.delete(key);
    },
    deviceGone(device) {
      of(device.user).awaiting.delete(device.jid);
    },
    ratchetPosition(user, position) {
      const ledger = of(user);
      const key = positionKey(position);
      const digest = createHash('sha256').update(position.ciphertext).digest('base64');
      const before = ledger.positions.get(key);
      if (before === undefined) ledger.positions.set(key, digest);
      else if (before === digest) ledger.resentCiphertexts += 1;
      else ledger.repeatedPositions += 1;
    },
    unreadableMedia(user, description) {
      const { unreadableMedia } = of(user);
      if (unreadableMedia.length < unreadableMediaKept) unreadableMedia.push(description);
    },
    arrivals: (user) => [...of(user).receivedIds],
    report: (user) => sum([of(user)]),
    total: () => sum([strangers, ...ledgers.values()]),
  };
}

function newLedger(): Ledger {
  return {
    unknownStanzas: new Set(),
    awaiting: new Map(),
    positions: new Map(),
    unreadableMedia: [],
    receivedIds: new Set(),
    offered: new Map(),
    repeatedMessages: 0,
    unfoundedConfirmations: 0,
    repeatedPositions: 0,
    resentCiphertexts: 0,
    handshakes: 0,
    logins: 0,
    received: 0,
    delivered: 0,
  };
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  if (ids.size <= idsKept) return;
  for (const oldest of ids) {
    ids.delete(oldest);
    break;
  }
}

function positionKey({ sender, ratchetKey, counter }: RatchetPosition): string {
  return createHash('sha256').update(`${sender} ${counter} `).update(ratchetKey).digest('base64');
}

function sum(ledgers: readonly Ledger[]): OracleReport {
  const total = (count: (ledger: Ledger) => number) => ledgers.reduce((result, ledger) => result + count(ledger), 0);
  return {
    unknown_stanzas: [...new Set(ledgers.flatMap((ledger) => [...ledger.unknownStanzas]))],
    unacknowledged_stanzas: total((ledger) => {
      let open = 0;
      for (const keys of ledger.awaiting.values()) open += keys.size;
      return open;
    }),
    repeated_ratchet_positions: total((ledger) => ledger.repeatedPositions),
    resent_ciphertexts: total((ledger) => ledger.resentCiphertexts),
    unreadable_media: ledgers.flatMap((ledger) => ledger.unreadableMedia),
    handshakes: total((ledger) => ledger.handshakes),
    logins: total((ledger) => ledger.logins),
    received_messages: total((ledger) => ledger.received),
    repeated_messages: total((ledger) => ledger.repeatedMessages),
    unfounded_confirmations: total((ledger) => ledger.unfoundedConfirmations),
    delivered_messages: total((ledger) => ledger.delivered),
  };
}
