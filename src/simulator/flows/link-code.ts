/** Pairing by link code: the client shows eight characters, and the phone's owner types them in. */
import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { WardenError } from '../../contract/errors.ts';
import { parseJid, phoneDigits } from '../jid.ts';
import type { BinaryNode, Device, KeyPair, User } from '../types.ts';
import { agree, newKeyPair, withoutKeyType } from '../wire/keys.ts';
import { bytesOf, child, element, iqError, iqResult, isIq, SERVER_JID } from '../wire/node.ts';
import type { Candidate, PairingDesk, PairingMethod } from './pairing.ts';
import type { WireContext } from './wire-context.ts';

const derive = promisify(pbkdf2);
const codeRounds = 131_072;
const saltBytes = 32;
const ctrIvBytes = 16;
const gcmIvBytes = 12;
const gcmTagBytes = 16;
const nothing = Buffer.alloc(0);
/** How long the client may take to answer the phone's keys. */
const finishTimeoutMs = 15_000;

/** A candidate that has shown a code, and the phone's attempt to use it. */
interface Offer {
  readonly candidate: Candidate;
  readonly pn: string;
  /** salt ‖ iv ‖ the client's ephemeral key, encrypted with the code. */
  readonly wrappedEphemeral: Buffer;
  readonly ref: Buffer;
  attempt: Attempt | null;
}

interface Attempt {
  readonly user: User;
  readonly shared: Buffer;
  /** The secret for the pairing, or null when the code was wrong. */
  readonly outcome: PromiseWithResolvers<Buffer | null>;
}

export class LinkCodes implements PairingMethod {
  readonly #context: WireContext;
  readonly #desk: PairingDesk;
  /** The latest offer last. */
  readonly #offers = new Map<Candidate, Offer>();

  constructor(context: WireContext, desk: PairingDesk) {
    this.#context = context;
    this.#desk = desk;
  }

  onNode(candidate: Candidate, node: BinaryNode): boolean {
    const request = child(node, 'link_code_companion_reg');
    if (!isIq(node, 'md', 'set') || request === undefined) return false;
    if (request.attrs['stage'] === 'companion_hello') this.#onHello(candidate, node, request);
    else if (request.attrs['stage'] === 'companion_finish') this.#onFinish(candidate, node, request);
    else return false;
    return true;
  }

  onGone(candidate: Candidate): void {
    this.#offers.get(candidate)?.attempt?.outcome.resolve(null);
    this.#offers.delete(candidate);
  }

  /**
   * Types a code into the phone of this number: answers with the companion when it has logged in. Fails with
   * `wrong_pair_code` when no client that waits for this number shows this code.
   */
  async enter(pn: string, code: string): Promise<Device> {
    const typed = code.replaceAll(/[\s-]/g, '').toUpperCase();
    const offers = [...this.#offers.values()].filter((offer) => offer.pn === pn && offer.attempt === null).toReversed();
    for (const offer of offers) {
      const user = this.#context.directory.create({ pn, kind: 'account' });
      const advSecret = await this.#try(offer, user, typed);
      if (advSecret !== null) return this.#desk.complete(offer.candidate, { user, advSecret });
    }
    throw new WardenError('wrong_pair_code');
  }

  #onHello(candidate: Candidate, node: BinaryNode, request: BinaryNode): void {
    const pn = phoneDigits(parseJid(request.attrs['jid'] ?? '')?.user ?? '');
    const wrappedEphemeral = bytesOf(child(request, 'link_code_pairing_wrapped_companion_ephemeral_pub'));
    if (pn === undefined || wrappedEphemeral.length !== saltBytes + ctrIvBytes + 32) {
      candidate.link.send(iqError(node, 400, 'bad-request'));
      return;
    }
    const ref = Buffer.from(`3@${randomBytes(32).toString('base64url')}`);
    this.#offers.delete(candidate);
    this.#offers.set(candidate, { candidate, pn, wrappedEphemeral, ref, attempt: null });
    const answer = element('link_code_companion_reg', { stage: 'companion_hello' }, [
      element('link_code_pairing_ref', {}, ref),
    ]);
    candidate.link.send(iqResult(node, [answer]));
  }

  async #try(offer: Offer, user: User, code: string): Promise<Buffer | null> {
    const ephemeral = newKeyPair();
    const clientEphemeral = await unwrap(code, offer.wrappedEphemeral);
    const shared = agree(ephemeral.privKey, clientEphemeral);
    const attempt: Attempt = { user, shared, outcome: Promise.withResolvers() };
    offer.attempt = attempt;
    offer.candidate.link.send(
      element(
        'notification',
        {
          from: SERVER_JID,
          type: 'link_code_companion_reg',
          id: this.#context.stanzaId(),
          t: String(Math.floor(this.#context.clock.now() / 1000)),
        },
        [
          element('link_code_companion_reg', { stage: 'primary_hello' }, [
            element('link_code_pairing_wrapped_primary_ephemeral_pub', {}, await wrap(code, ephemeral)),
            element('primary_identity_pub', {}, withoutKeyType(user.identity.pubKey)),
            element('link_code_pairing_ref', {}, offer.ref),
          ]),
        ],
      ),
    );
    const timer = setTimeout(() => attempt.outcome.resolve(null), finishTimeoutMs);
    try {
      return await attempt.outcome.promise;
    } finally {
      clearTimeout(timer);
      offer.attempt = null;
    }
  }

  #onFinish(candidate: Candidate, node: BinaryNode, request: BinaryNode): void {
    const offer = this.#offers.get(candidate);
    const attempt = offer?.attempt ?? null;
    if (
      offer === undefined ||
      attempt === null ||
      !bytesOf(child(request, 'link_code_pairing_ref')).equals(offer.ref)
    ) {
      candidate.link.send(iqError(node, 404, 'item-not-found'));
      return;
    }
    const bundle = openBundle(attempt.shared, bytesOf(child(request, 'link_code_pairing_wrapped_key_bundle')));
    const identityKey = bytesOf(child(request, 'companion_identity_public'));
    // With a wrong code both sides have agreed on different keys, and the bundle does not open.
    if (bundle === null || !bundle.subarray(0, 32).equals(identityKey)) {
      candidate.link.send(iqError(node, 400, 'bad-request'));
      attempt.outcome.resolve(null);
      return;
    }
    candidate.link.send(iqResult(node));
    const identityShared = agree(attempt.user.identity.privKey, identityKey);
    const secret = Buffer.concat([attempt.shared, identityShared, bundle.subarray(64, 96)]);
    attempt.outcome.resolve(Buffer.from(hkdfSync('sha256', secret, nothing, 'adv_secret', 32)));
  }
}

/** An ephemeral public key, 32 bytes, encrypted with a code: salt ‖ iv ‖ ciphertext. */
async function wrap(code: string, ephemeral: KeyPair): Promise<Buffer> {
  const salt = randomBytes(saltBytes);
  const iv = randomBytes(ctrIvBytes);
  const cipher = createCipheriv('aes-256-ctr', await derive(code, salt, codeRounds, 32, 'sha256'), iv);
  return Buffer.concat([salt, iv, cipher.update(withoutKeyType(ephemeral.pubKey)), cipher.final()]);
}

/** The reverse of `wrap`; a wrong code gives some other key, and nothing tells so yet. */
async function unwrap(code: string, wrapped: Buffer): Promise<Buffer> {
  const salt = wrapped.subarray(0, saltBytes);
  const iv = wrapped.subarray(saltBytes, saltBytes + ctrIvBytes);
  const cipher = createDecipheriv('aes-256-ctr', await derive(code, salt, codeRounds, 32, 'sha256'), iv);
  return Buffer.concat([cipher.update(wrapped.subarray(saltBytes + ctrIvBytes)), cipher.final()]);
}

/** Identity, account key and random bytes (32 each) from the client's key bundle; null when it does not open. */
function openBundle(shared: Buffer, bundle: Buffer): Buffer | null {
  if (bundle.length !== saltBytes + gcmIvBytes + 96 + gcmTagBytes) return null;
  const salt = bundle.subarray(0, saltBytes);
  const key = hkdfSync('sha256', shared, salt, 'link_code_pairing_key_bundle_encryption_key', 32);
  const iv = bundle.subarray(saltBytes, saltBytes + gcmIvBytes);
  const cipher = createDecipheriv('aes-256-gcm', Buffer.from(key), iv);
  cipher.setAuthTag(bundle.subarray(-gcmTagBytes));
  try {
    return Buffer.concat([cipher.update(bundle.subarray(saltBytes + gcmIvBytes, -gcmTagBytes)), cipher.final()]);
  } catch {
    return null;
  }
}
