/**
 * Clients that are not linked yet: they get refs for their QR code, and a phone that scans it makes them companions.
 * Pairing by link code (link-code.ts) ends here too.
 */
import { randomBytes } from 'node:crypto';
import { WardenError } from '../../contract/errors.ts';
import type { DeviceSeat, Registration } from '../state/directory.ts';
import type { BinaryNode, Device, User } from '../types.ts';
import type { ClientLink } from '../wire/client-link.ts';
import { bytesOf, child, describeNode, element, iqError, iqResult, isIq, SERVER_JID } from '../wire/node.ts';
import { restartStream } from './close.ts';
import { isCountersigned, type Voucher, vouchFor } from './companion-identity.ts';
import { announceDevice } from './device-announcements.ts';
import type { Notifications } from './notifications.ts';
import type { WireContext } from './wire-context.ts';

/** So many QR codes a client gets per connection, as from WhatsApp. */
const refsPerConnection = 6;
/** How long a companion may take from the scan until it has logged in. */
const loginTimeoutMs = 25_000;

interface Signing {
  readonly user: User;
  readonly seat: DeviceSeat;
  readonly voucher: Voucher;
  readonly iqId: string;
  readonly linked: PromiseWithResolvers<Device>;
}

/** A client that waits to be linked. */
export interface Candidate {
  readonly link: ClientLink;
  readonly registration: Registration;
  readonly refs: readonly string[];
  signing: Signing | null;
}

/** What a further way of pairing contributes. */
export interface PairingMethod {
  /** Answers whether the stanza was one of this method. */
  onNode(candidate: Candidate, node: BinaryNode): boolean;
  onGone(candidate: Candidate): void;
}

interface Scan {
  /** The client's QR code, the whole string. */
  readonly qr: string;
  /** Whose phone scans it; not asked for when the code is not valid. */
  readonly user: () => User;
}

export class PairingDesk {
  readonly #context: WireContext;
  readonly #notifications: Notifications;
  readonly #methods: PairingMethod[] = [];
  readonly #candidates = new Map<ClientLink, Candidate>();
  readonly #byRef = new Map<string, Candidate>();

  constructor(context: WireContext, notifications: Notifications) {
    this.#context = context;
    this.#notifications = notifications;
  }

  addMethod(method: PairingMethod): void {
    this.#methods.push(method);
  }

  has(link: ClientLink): boolean {
    return this.#candidates.has(link);
  }

  /** Takes in a client that registers and sends it its refs. */
  admit(link: ClientLink, registration: Registration): void {
    const refs = Array.from({ length: refsPerConnection }, () => `2@${randomBytes(96).toString('base64url')}`);
    const candidate: Candidate = { link, registration, refs, signing: null };
    this.#candidates.set(link, candidate);
    for (const ref of refs) this.#byRef.set(ref, candidate);
    const attrs = { from: SERVER_JID, type: 'set', xmlns: 'md', id: this.#context.stanzaId() };
    const content = refs.map((ref) => element('ref', {}, Buffer.from(ref)));
    link.send(element('iq', attrs, [element('pair-device', {}, content)]));
  }

  /** Scans a QR code: answers with the companion when it has logged in and is usable. Fails with `unprocessable`. */
  async scan({ qr, user }: Scan): Promise<Device> {
    const [ref = '', noisePub = '', identityKey = '', advSecret = '', ...rest] = qr
      .slice(qr.indexOf('#') + 1)
      .split(',');
    if (rest.length > 1 || advSecret === '') {
      throw new WardenError('unprocessable', { message: 'This is not a QR code for linking a device.' });
    }
    const candidate = this.#byRef.get(ref);
    if (candidate === undefined) {
      throw new WardenError('unprocessable', {
        message: 'This QR code is not valid (any more); scan the current one.',
      });
    }
    const { registration } = candidate;
    if (!isSameKey(registration.noisePub, noisePub) || !isSameKey(registration.identityKey, identityKey)) {
      throw new WardenError('unprocessable', { message: 'The keys in this QR code are not those of the client.' });
    }
    return this.complete(candidate, { user: user(), advSecret: Buffer.from(advSecret, 'base64') });
  }

  /** Links a candidate to a user, and waits until it has logged in. */
  async complete(candidate: Candidate, by: { readonly user: User; readonly advSecret: Uint8Array }): Promise<Device> {
    if (candidate.signing !== null) {
      throw new WardenError('unprocessable', { message: 'This client is being linked already.' });
    }
    const { user, advSecret } = by;
    const seat = this.#context.directory.nextSeat(user);
    const { registration, link } = candidate;
    const nowMs = this.#context.clock.now();
    const voucher = vouchFor({ user, seat, registration, advSecret, nowMs });
    const signing = { user, seat, voucher, iqId: this.#context.stanzaId(), linked: Promise.withResolvers<Device>() };
    candidate.signing = signing;
    link.send(pairSuccess(signing, nowMs));
    const device = await signing.linked.promise;
    if (!(await this.#context.connections.nextUsable(device, loginTimeoutMs))) {
      throw new WardenError('whatsapp_timeout', { message: 'The client was linked, but did not log in in time.' });
    }
    return device;
  }

  /** A stanza of a client that is not linked. */
  async onNode(link: ClientLink, node: BinaryNode): Promise<void> {
    const candidate = this.#candidates.get(link);
    if (candidate === undefined) return;
    if (node.tag === 'iq' && node.attrs['type'] === 'result') return this.#onResult(candidate, node);
    if (isIq(node, 'w:p')) return void link.send(iqResult(node));
    if (this.#methods.some((method) => method.onNode(candidate, node))) return;
    if (node.tag === 'ib' || node.tag === 'ack' || node.tag === 'presence') return;
    this.#context.oracle.unknownStanza(candidate.signing?.user ?? null, `unpaired ${describeNode(node)}`);
    if (node.tag === 'iq') link.send(iqError(node, 501, 'feature-not-implemented'));
  }

  onClose(link: ClientLink): void {
    const candidate = this.#candidates.get(link);
    if (candidate === undefined) return;
    this.#candidates.delete(link);
    for (const ref of candidate.refs) this.#byRef.delete(ref);
    for (const method of this.#methods) method.onGone(candidate);
    // Without effect when the companion was linked before.
    candidate.signing?.linked.reject(
      new WardenError('unprocessable', { message: 'The client went away while it was being linked.' }),
    );
  }

  #onResult(candidate: Candidate, node: BinaryNode): void {
    const { signing, registration, link } = candidate;
    if (signing === null || node.attrs['id'] !== signing.iqId) return;
    const answer = bytesOf(child(child(node, 'pair-device-sign'), 'device-identity'));
    const { user, seat, voucher, linked } = signing;
    if (!isCountersigned({ user, registration, voucher, answer })) {
      this.#context.oracle.unknownStanza(user, 'pair-device-sign with a wrong device signature');
      link.close();
      return;
    }
    if (user.kind === 'contact' || !user.registered) {
      this.#context.directory.change(user, { kind: 'account', registered: true });
    }
    const device = this.#context.directory.link(user, seat, registration);
    announceDevice(this.#context, this.#notifications, { tag: 'add', device });
    linked.resolve(device);
    restartStream(link);
  }
}

function pairSuccess({ user, seat, voucher, iqId }: Signing, nowMs: number): BinaryNode {
  const jid = `${user.pn}:${seat.id}@s.whatsapp.net`;
  const lid = `${user.lid}:${seat.id}@lid`;
  const attrs = { from: SERVER_JID, type: 'set', xmlns: 'md', id: iqId, t: String(Math.floor(nowMs / 1000)) };
  return element('iq', attrs, [
    element('pair-success', {}, [
      element('device-identity', {}, voucher.wrapped),
      element('device', { jid, lid }),
      element('platform', { name: 'android' }),
    ]),
  ]);
}

function isSameKey(key: Uint8Array, base64: string): boolean {
  return Buffer.from(base64, 'base64').equals(key);
}
