/**
 * Simulated people write: encrypts their messages for each companion that must have a copy, and encrypts them again
 * when a companion could not read its copy.
 */
import { randomBytes } from 'node:crypto';
import { logger } from '../log.ts';
import { maskJid } from '../log-redaction.ts';
import { deviceSentContent } from './content/device-sent.ts';
import { lidJid } from './jid.ts';
import { chatOf, messageStanza } from './message-stanza.ts';
import type { SignalEngine } from './signal-engine.ts';
import type { Blocklist } from './state/blocklist.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Queues } from './state/queues.ts';
import type { SentMessage, SentMessages } from './state/sent-messages.ts';
import type { Device, PreKeyBundle, SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export interface Draft {
  readonly from: User;
  readonly to: User;
  /** The message protobuf. */
  readonly content: Uint8Array;
  /** The stanza's type. */
  readonly type: string;
  /** The stanza's `edit`, of edits and deletions. */
  readonly edit?: string;
  /** Made up when absent. */
  readonly messageId?: string | undefined;
}

export interface OutgoingParts {
  readonly context: SimulatorContext;
  readonly engine: SignalEngine;
  readonly queues: Queues;
  readonly sent: SentMessages;
  readonly settings: ContactSettings;
  readonly blocklist: Blocklist;
}

interface Copy {
  readonly device: Device;
  /** Which answer to a retry receipt this is; 0 for the first copy. */
  readonly retry: number;
  readonly bundle: PreKeyBundle | null;
}

const log = logger('simulator.outgoing');

/** An id as iPhones make them. */
export function newMessageId(): string {
  return `3A${randomBytes(9).toString('hex').toUpperCase()}`;
}

export class Outgoing {
  readonly #parts: OutgoingParts;

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
  }

  /**
   * Writes from the phone of one person to another: to all sessions of the recipient, and as a copy to the sessions of
   * the sender when that is an account. Answers the message id; the copies are queued durably by then. Somebody whom
   * the recipient has blocked is heard by nobody but the own sessions.
   */
  async send(draft: Draft): Promise<string> {
    const { context, sent, blocklist } = this.#parts;
    const isBlocked = blocklist.has(draft.to, draft.from);
    const atMs = context.clock.now();
    const message: SentMessage = {
      id: draft.messageId ?? newMessageId(),
      from: draft.from.lid,
      to: draft.to.lid,
      type: draft.type,
      ...(draft.edit === undefined ? {} : { edit: draft.edit }),
      at: Math.floor(atMs / 1000),
      atMs,
      content: draft.content,
    };
    sent.add(message);
    if (!isBlocked) context.watchers.add(draft.from, draft.to);
    const readers = isBlocked ? [] : draft.to.devices.values();
    const devices = new Set([...readers, ...draft.from.devices.values()]);
    for (const device of devices) {
      await this.#encryptFor(draft.from, message, { device, retry: 0, bundle: null });
    }
    return message.id;
  }

  /** Tells one device of an account something that is for it alone and no message of a chat. */
  async tellDevice(device: Device, content: Uint8Array): Promise<void> {
    const { context, sent } = this.#parts;
    const { user } = device;
    const atMs = context.clock.now();
    const message: SentMessage = {
      id: newMessageId(),
      from: user.lid,
      to: user.lid,
      type: 'text',
      category: 'peer',
      at: Math.floor(atMs / 1000),
      atMs,
      content,
    };
    sent.add(message);
    await this.#encryptFor(user, message, { device, retry: 0, bundle: null });
  }

  /**
   * Encrypts a message of `sender` anew for a companion, with a new session from the bundle it sent along or from the
   * one it has on the server. Does nothing when the message is not known any more.
   */
  async sendAgain(sender: User, id: string, copy: Copy): Promise<void> {
    const message = this.#parts.sent.find(sender, id);
    if (message !== undefined) await this.#encryptFor(sender, message, copy);
  }

  async #encryptFor(sender: User, message: SentMessage, copy: Copy): Promise<void> {
    const { context, engine, queues, settings } = this.#parts;
    const { device } = copy;
    const chat = context.directory.byLid(message.to);
    const isOwn = device.user === sender && message.category !== 'peer';
    const peer = { lid: device.user.lid, device: device.id };
    const content = isOwn ? deviceSentContent(lidJid(message.to), message.content) : message.content;
    try {
      if (copy.retry > 0 || !engine.hasSession(sender, peer)) {
        await engine.openSession(sender, peer, copy.bundle ?? context.directory.takeBundle(device));
      }
      const encrypted = await engine.encrypt(sender, peer, content);
      const ciphertext = context.faults.takeGarbled(device.user) ? damaged(encrypted.ciphertext) : encrypted.ciphertext;
      const { type } = encrypted;
      const stanza = messageStanza(
        {
          id: message.id,
          at: message.at,
          type: message.type,
          edit: message.edit,
          category: message.category,
          sender,
          senderDevice: 0,
          addressing: settings.of(sender).addressing,
          chat: isOwn && chat !== undefined ? chatOf(chat) : null,
        },
        [element('enc', { v: '2', type, count: copy.retry > 0 ? String(copy.retry) : undefined }, ciphertext)],
      );
      queues.push(device, stanza);
    } catch (error) {
      // One device with a broken bundle must not keep the message from the others.
      log.error({ device: maskJid(device.jid), error: String(error) }, 'message could not be encrypted for a device');
    }
  }
}

/** So far from the end of either kind of ciphertext is what is encrypted or authenticated. */
const damagedFromEnd = 20;

function damaged(ciphertext: Uint8Array): Uint8Array {
  return ciphertext.with(-damagedFromEnd, (ciphertext.at(-damagedFromEnd) ?? 0) ^ 1);
}
