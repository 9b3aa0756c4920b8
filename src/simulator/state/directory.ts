/** Everybody on the simulated WhatsApp, in memory with every change written through to the records. */
import { createHash } from 'node:crypto';
import { generateRegistrationId, generateSignedPreKey } from 'whatsapp-rust-bridge';
import { lidJid, parseJid, pnJid } from '../jid.ts';
import type { Device, Directory, NewUser, PreKeyBundle, Records, User, UserChange } from '../types.ts';
import { newKeyPair } from '../wire/keys.ts';
import { type OneTimeKey, PreKeyPool } from './pre-keys.ts';
import {
  type DeviceRecord,
  parseDeviceRecord,
  parseUserRecord,
  type UserRecord,
  writeDeviceRecord,
  writeUserRecord,
} from './user-records.ts';

/** Device ids are one byte on the wire, and phones keep them below 100. */
const highestDeviceId = 99;

/** What a companion registers with. */
export interface Registration {
  readonly noisePub: Uint8Array;
  readonly identityKey: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: PreKeyBundle['signedPreKey'];
}

/** The id and key index of a companion that is about to be linked. */
export interface DeviceSeat {
  readonly id: number;
  readonly keyIndex: number;
}

/** The directory as the simulator's own flows use it: with linking, unlinking and key uploads. */
export interface OwnDirectory extends Directory {
  byNoisePub(noisePub: Uint8Array): Device | undefined;
  /** Whether this Noise key belonged to a companion that has been unlinked. */
  wasUnlinked(noisePub: Uint8Array): boolean;
  /** The next free place for a companion; it is taken by `link` only. */
  nextSeat(user: User): DeviceSeat;
  /** Links a companion; one with the same Noise key is unlinked first. */
  link(user: User, seat: DeviceSeat, registration: Registration): Device;
  unlink(device: Device): void;
  /** How many one-time keys are left. */
  preKeyCount(device: Device): number;
  addPreKeys(device: Device, keys: readonly OneTimeKey[]): void;
  signedPreKey(device: Device): PreKeyBundle['signedPreKey'];
  rotateSignedPreKey(device: Device, key: PreKeyBundle['signedPreKey']): void;
}

interface DirectoryEvents {
  onUserCreated(user: User): void;
  onBundleTaken(device: Device, preKeysLeft: number): void;
}

interface Companion {
  readonly device: Device;
  readonly pool: PreKeyPool;
  record: DeviceRecord;
}

interface Member {
  readonly user: UserView;
  record: UserRecord;
}

/** A user as others see it: reads through to the present record. */
class UserView implements User {
  readonly devices = new Map<number, Device>();
  readonly #member: () => UserRecord;

  constructor(member: () => UserRecord) {
    this.#member = member;
  }

  get pn() {
    return this.#member().pn;
  }
  get lid() {
    return this.#member().lid;
  }
  get kind() {
    return this.#member().kind;
  }
  get name() {
    return this.#member().name;
  }
  get registered() {
    return this.#member().registered;
  }
  get identity() {
    return this.#member().identity;
  }
  get registrationId() {
    return this.#member().registrationId;
  }
  get signedPreKey() {
    return this.#member().signedPreKey;
  }
}

/** Opens the directory over what the records hold. */
export function openDirectory(records: Records, events: DirectoryEvents): OwnDirectory {
  const members = new Map<string, Member>();
  const byLid = new Map<string, UserView>();
  const companions = new Map<Device, Companion>();
  const byNoisePub = new Map<string, Device>();

  const admit = (record: UserRecord): Member => {
    const member: Member = { record, user: new UserView(() => member.record) };
    members.set(record.pn, member);
    byLid.set(record.lid, member.user);
    return member;
  };
  const seatCompanion = (user: UserView, record: DeviceRecord): Device => {
    const { id, keyIndex, noisePub, identityKey, registrationId } = record;
    const addresses = { jid: pnJid(user.pn, id), lid: lidJid(user.lid, id) };
    const device: Device = { user, id, ...addresses, keyIndex, noisePub, identityKey, registrationId };
    user.devices.set(id, device);
    companions.set(device, { device, record, pool: new PreKeyPool(records, device.jid) });
    byNoisePub.set(hex(noisePub), device);
    return device;
  };
  const memberOf = (user: User): Member => {
    const member = members.get(user.pn);
    if (member === undefined) throw new Error('the user is not of this directory');
    return member;
  };
  const companionOf = (device: Device): Companion => {
    const companion = companions.get(device);
    if (companion === undefined) throw new Error('the companion is not linked any more');
    return companion;
  };
  const saveUser = (member: Member) => records.put('user', member.record.pn, writeUserRecord(member.record));
  const saveCompanion = (companion: Companion) =>
    records.put('device', companion.device.jid, writeDeviceRecord(companion.record));

  for (const { value } of records.list('user')) admit(parseUserRecord(value));
  for (const { value } of records.list('device')) {
    const record = parseDeviceRecord(value);
    const member = members.get(record.pn);
    if (member !== undefined) seatCompanion(member.user, record);
  }

  const directory: OwnDirectory = {
    *users() {
      for (const { user } of members.values()) yield user;
    },
    byPn: (pn) => members.get(pn)?.user,
    byLid: (lid) => byLid.get(lid),
    byJid(jid) {
      const parsed = parseJid(jid);
      if (parsed === undefined) return members.get(jid)?.user;
      return parsed.server === 'lid' ? byLid.get(parsed.user) : members.get(parsed.user)?.user;
    },
    device(jid) {
      const id = parseJid(jid)?.device ?? 0;
      return directory.byJid(jid)?.devices.get(id);
    },
    create(wanted: NewUser) {
      const existing = members.get(wanted.pn);
      if (existing !== undefined) return existing.user;
      const identity = newKeyPair();
      const member = admit({
        pn: wanted.pn,
        lid: freeLid(wanted.pn, (lid) => byLid.has(lid)),
        kind: wanted.kind,
        name: wanted.name ?? wanted.pn,
        registered: wanted.registered ?? true,
        identity,
        registrationId: generateRegistrationId(),
        signedPreKey: generateSignedPreKey(identity, 1),
        links: 0,
      });
      saveUser(member);
      events.onUserCreated(member.user);
      return member.user;
    },
    change(user: User, change: UserChange) {
      const member = memberOf(user);
      member.record = { ...member.record, ...change };
      saveUser(member);
    },
    reinstall(user: User) {
      const member = memberOf(user);
      const identity = newKeyPair();
      const { keyId } = member.record.signedPreKey;
      member.record = {
        ...member.record,
        identity,
        registrationId: generateRegistrationId(),
        signedPreKey: generateSignedPreKey(identity, keyId + 1),
      };
      saveUser(member);
    },
    takeBundle(device) {
      const { record, pool } = companionOf(device);
      const preKey = pool.take();
      const { registrationId, identityKey, signedPreKey } = record;
      events.onBundleTaken(device, pool.count);
      return { registrationId, identityKey, signedPreKey, ...(preKey ? { preKey } : {}) };
    },
    byNoisePub: (noisePub) => byNoisePub.get(hex(noisePub)),
    wasUnlinked: (noisePub) => records.get('unlinked', hex(noisePub)) !== undefined,
    nextSeat(user) {
      const { links } = memberOf(user).record;
      for (let step = 0; step < highestDeviceId; step += 1) {
        const id = ((links + step) % highestDeviceId) + 1;
        if (!user.devices.has(id)) return { id, keyIndex: links + 1 };
      }
      throw new Error('the account has no room for another companion');
    },
    link(user, seat, registration) {
      const old = directory.byNoisePub(registration.noisePub);
      if (old !== undefined) directory.unlink(old);
      const member = memberOf(user);
      member.record = { ...member.record, links: member.record.links + 1 };
      saveUser(member);
      const device = seatCompanion(member.user, { pn: user.pn, ...seat, ...registration });
      saveCompanion(companionOf(device));
      records.delete('unlinked', hex(registration.noisePub));
      return device;
    },
    unlink(device) {
      const { pool } = companionOf(device);
      records.put('unlinked', hex(device.noisePub), Buffer.from(device.jid));
      records.delete('device', device.jid);
      pool.drop();
      memberOf(device.user).user.devices.delete(device.id);
      companions.delete(device);
      byNoisePub.delete(hex(device.noisePub));
    },
    preKeyCount: (device) => companions.get(device)?.pool.count ?? 0,
    addPreKeys(device, keys) {
      companionOf(device).pool.add(keys);
    },
    signedPreKey: (device) => companionOf(device).record.signedPreKey,
    rotateSignedPreKey(device, signedPreKey) {
      const companion = companionOf(device);
      companion.record = { ...companion.record, signedPreKey };
      saveCompanion(companion);
    },
  };
  return directory;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/**
 * A LID of 15 digits. It depends on the number alone, so that a client's stored mappings stay true when the simulator
 * has lost its state.
 */
function freeLid(pn: string, isTaken: (lid: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const digest = createHash('sha256').update(`${pn}/${attempt}`).digest();
    const lid = String(100_000_000_000_000 + (digest.readUIntBE(0, 6) % 100_000_000_000_000));
    if (!isTaken(lid)) return lid;
  }
}
