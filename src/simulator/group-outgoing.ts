/**
 * Simulated people write into groups: with a sender key of their own, which each companion of the members gets once,
 * and encrypted anew for a companion that could not read its copy.
 */
import { logger } from '../log.ts';
import { maskJid } from '../log-redaction.ts';
import { senderKeyContent } from './content/sender-key.ts';
import { groupMessageStanza } from './groups/group-message-stanza.ts';
import { newMessageId } from './outgoing.ts';
import type { SignalEngine } from './signal-engine.ts';
import type { SenderKeys } from './signal/sender-keys.ts';
import type { Group, Groups } from './state/groups.ts';
import type { Queues } from './state/queues.ts';
import type { SentMessage, SentMessages } from './state/sent-messages.ts';
import type { BinaryNode, Device, PreKeyBundle, Records, SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export interface GroupDraft {
  readonly from: User;
  readonly group: Group;
  /** The message protobuf. */
  readonly content: Uint8Array;
  /** The stanza's type. */
  readonly type: string;
  /** The stanza's `edit`. */
  readonly edit?: string | undefined;
  /** Made up when absent. */
  readonly messageId?: string | undefined;
}

export interface GroupOutgoingParts {
  readonly context: SimulatorContext;
  readonly engine: SignalEngine;
  readonly senderKeys: SenderKeys;
  readonly groups: Groups;
  readonly queues: Queues;
  readonly sent: SentMessages;
}

interface AskedCopy {
  readonly device: Device;
  /** Which answer to a retry receipt this is. */
  readonly retry: number;
  readonly bundle: PreKeyBundle | null;
}

/** Which companions have which person's key of a group. */
const GIVEN = 'sender-key-given';
const log = logger('simulator.groups');

export class GroupOutgoing {
  readonly #parts: GroupOutgoingParts;
  readonly #records: Records;

  constructor(parts: GroupOutgoingParts) {
    this.#parts = parts;
    this.#records = parts.context.records;
  }

  /** Writes from the phone of a member to all companions of all members; answers the message id. */
  async send(draft: GroupDraft): Promise<string> {
    const { context, sent, senderKeys, queues } = this.#parts;
    const { from, group } = draft;
    const atMs = context.clock.now();
    const message: SentMessage = {
      id: draft.messageId ?? newMessageId(),
      from: from.lid,
      to: group.jid,
      type: draft.type,
      ...(draft.edit === undefined ? {} : { edit: draft.edit }),
      at: Math.floor(atMs / 1000),
      atMs,
      content: draft.content,
    };
    sent.add(message);
    const distribution = await senderKeys.distribution(from, group.jid);
    const ciphertext = await senderKeys.encrypt(from, group.jid, draft.content);
    const shared = element('enc', { v: '2', type: 'skmsg' }, ciphertext);
    const readers = group.members.flatMap(({ lid }) => [...(context.directory.byLid(lid)?.devices.values() ?? [])]);
    for (const device of readers) {
      const key = await this.#keyFor(device, { from, group, distribution });
      const copies = key === null ? [shared] : [key, shared];
      const envelope = { ...message, group, sender: from, senderDevice: 0 };
      queues.push(device, groupMessageStanza(context.directory, envelope, copies));
    }
    return message.id;
  }

  /** Encrypts a message anew for one companion, with the key; nothing when message or group are not known any more. */
  async sendAgain(sender: User, id: string, { device, retry, bundle }: AskedCopy): Promise<void> {
    const { context, engine, groups, sent, senderKeys, queues } = this.#parts;
    const message = sent.find(sender, id);
    const group = message === undefined ? undefined : groups.byJid(message.to);
    if (message === undefined || group === undefined) return;
    const peer = { lid: device.user.lid, device: device.id };
    const distribution = await senderKeys.distribution(sender, group.jid);
    await engine.openSession(sender, peer, bundle ?? context.directory.takeBundle(device));
    const content = senderKeyContent({ group: group.jid, distribution }, message.content);
    const { type, ciphertext } = await engine.encrypt(sender, peer, content);
    const envelope = { ...message, group, sender, senderDevice: 0 };
    const enc = element('enc', { v: '2', type, count: String(retry) }, ciphertext);
    queues.push(device, groupMessageStanza(context.directory, envelope, [enc]));
  }

  /** Some members have left: what is written from now on is not for them. */
  renewKeys(group: Group): void {
    for (const { lid } of group.members) {
      const member = this.#parts.context.directory.byLid(lid);
      if (member === undefined) continue;
      this.#parts.senderKeys.forgetOwn(member, group.jid);
      this.#forgetGiven(`${lid}/${group.jid}/`);
    }
  }

  /** A person has lost its keys; all readers need new ones. */
  forgetAll(writer: User): void {
    this.#forgetGiven(`${writer.lid}/`);
  }

  /** A companion is gone: whoever is linked under its number next has no keys. */
  forgetReader(device: Device): void {
    for (const { key } of this.#records.list(GIVEN)) {
      if (key.endsWith(`/${device.lid}`)) this.#records.delete(GIVEN, key);
    }
  }

  /** The copy with the key, null when the companion has it. */
  async #keyFor(
    device: Device,
    { from, group, distribution }: { from: User; group: Group; distribution: Uint8Array },
  ): Promise<BinaryNode | null> {
    const { context, engine } = this.#parts;
    const mark = `${from.lid}/${group.jid}/${device.lid}`;
    if (this.#records.get(GIVEN, mark) !== undefined) return null;
    const peer = { lid: device.user.lid, device: device.id };
    try {
      if (!engine.hasSession(from, peer)) {
        await engine.openSession(from, peer, context.directory.takeBundle(device));
      }
      const content = senderKeyContent({ group: group.jid, distribution }, null);
      const { type, ciphertext } = await engine.encrypt(from, peer, content);
      this.#records.put(GIVEN, mark, Buffer.alloc(0));
      return element('enc', { v: '2', type }, ciphertext);
    } catch (error) {
      // The companion asks again for what it cannot read.
      log.error(
        { device: maskJid(device.jid), error: String(error) },
        'sender key could not be encrypted for a device',
      );
      return null;
    }
  }

  #forgetGiven(prefix: string): void {
    for (const { key } of this.#records.list(GIVEN, prefix)) this.#records.delete(GIVEN, key);
  }
}
