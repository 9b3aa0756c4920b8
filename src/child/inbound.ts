/** Turns what a link receives into records, in the order of arrival. */
import type { Clock } from '../clock.ts';
import { assertNever } from '../contract/assert-never.ts';
import { isGroupJid } from '../contract/ids.ts';
import type { InboxEntry, LinkLimits, RecordItem } from '../contract/ipc.ts';
import { addressesOf, ownJid, phoneJidOf, type Addresses } from './engine/addresses.ts';
import type { ChatExpirations } from './engine/chat-expirations.ts';
import { controlOf } from './engine/control-content.ts';
import { fittingMessage } from './engine/fitting-message.ts';
import { recoverMessage, type RecoveredMessage } from './engine/inbox.ts';
import type { BinaryNode, WAMessage, WASocket } from './engine/link-socket.ts';
import { describeContent, kindOf, type ContentDescription } from './engine/message-content.ts';
import { selectedOptions } from './engine/polls.ts';
import { readReceiptStanza } from './engine/receipt-stanzas.ts';
import { writeValue } from './engine/values.ts';
import { changeItem } from './events/changes.ts';
import { mapMessage, timeOf } from './events/messages.ts';
import { reactionItem, voteItem } from './events/reactions.ts';
import { receiptItems, type ReceiptFacts } from './events/receipts.ts';
import type { Link } from './link.ts';
import type { Recorder } from './recorder.ts';
import type { StoreClient } from './store-client.ts';
import { Undecryptable } from './undecryptable.ts';

interface InboundOptions {
  readonly session: string;
  readonly link: () => Link;
  readonly store: StoreClient;
  readonly recorder: Recorder;
  readonly expirations: ChatExpirations;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly onError: (text: string) => void;
}

/** A message on its way into the store, and the inbox entries that hold it until then. */
interface Arrival extends RecoveredMessage {
  readonly inboxIds: readonly string[];
}

/** A message that is waited for, and the note of it in the inbox, if there is one. */
interface Held extends RecoveredMessage {
  readonly noteId: string | null;
}

export class Inbound {
  readonly #options: InboundOptions;
  readonly #held = new Map<string, Held>();
  readonly #undecryptable: Undecryptable;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#undecryptable = new Undecryptable({
      patienceMs: options.limits.undecryptablePatienceMs,
      tell: (id) => this.#enqueue(() => this.#tellUndecryptable(id)),
    });
  }

  /** Of a fitting size. */
  messages(sock: WASocket, messages: readonly WAMessage[], isBackfill: boolean): void {
    for (const message of messages) {
      const inboxIds = this.#options.link().inbox.take(message.key.id ?? '');
      this.#enqueue(() => this.#message(sock, { message, isBackfill, inboxIds }));
    }
  }

  /**
   * Null for a receipt that tells nothing of the account's messages; otherwise it resolves with true when what it tells is
   * recorded, with false when that is not possible any more.
   */
  receipt(sock: WASocket, stanza: BinaryNode): Promise<boolean> | null {
    const { link, clock } = this.#options;
    const receipts = readReceiptStanza(stanza, link().own, clock.now());
    if (receipts.length === 0) return null;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#enqueue(async () => {
      try {
        resolve(this.#options.recorder.addAll(await this.#receiptItems(sock, receipts)));
      } catch (error) {
        resolve(true);
        throw error;
      }
    });
    return promise;
  }

  /** Whether a message that cannot be decrypted would be waited for. */
  mayHold(messageId: string): boolean {
    return this.#undecryptable.mayHold(messageId);
  }

  /** A message could not be decrypted, and the inbox says so. */
  noted(entry: InboxEntry): void {
    this.#hold(recoverMessage(entry, this.#options.link().own), entry.id);
  }

  /** Records what an earlier child had decrypted but not recorded. */
  recover(sock: WASocket, entries: readonly InboxEntry[]): void {
    const own = this.#options.link().own;
    for (const entry of entries) {
      this.#enqueue(async () => {
        const recovered = recoverMessage(entry, own);
        const message = fittingMessage(recovered.message);
        if (recovered.isDecrypted) await this.#message(sock, { ...recovered, message, inboxIds: [entry.id] });
        else this.#hold(recovered, entry.id);
      });
    }
  }

  /** Resolves when everything received so far is recorded. */
  async drain(): Promise<void> {
    await this.#queue;
    await this.#options.recorder.drain();
  }

  close(): void {
    this.#undecryptable.close();
  }

  async #message(sock: WASocket, arrival: Arrival): Promise<void> {
    const { message, inboxIds } = arrival;
    const kind = kindOf(message);
    switch (kind) {
      case 'shown':
        return this.#shown(sock, arrival);
      case 'control':
        return this.#control(sock, arrival);
      case 'stub':
        return this.#settle(inboxIds);
      case 'undecryptable':
        this.#settle(inboxIds);
        this.#hold(arrival, null);
        return;
      default:
        return assertNever(kind);
    }
  }

  async #shown(sock: WASocket, { message, inboxIds, ...arrival }: Arrival): Promise<void> {
    const { session, clock, expirations } = this.#options;
    // What is sent again comes while we are here, whenever it came the first time.
    const isBackfill = this.#forgive(message)?.isBackfill ?? arrival.isBackfill;
    const addresses = await addressesOf(sock, message.key);
    const content = describeContent(message.message);
    if (content.ephemeralSeconds !== null) await expirations.learn(addresses.chat, content.ephemeralSeconds);
    const mapped = mapMessage({
      session,
      message,
      content,
      addresses,
      people: await peopleOf(sock, content),
      isBackfill,
      key: writeValue(message.key),
      at: timeOf(message, clock.now()),
    });
    const [inboxId = null, ...others] = inboxIds;
    this.#add({ tag: 'message', ...mapped, inboxId });
    this.#settle(others);
  }

  /** Edits, deletions, reactions, votes: derived from the message itself, so that what the inbox brings back counts too. */
  async #control(sock: WASocket, { message, inboxIds }: Arrival): Promise<void> {
    const { clock, store, recorder, expirations } = this.#options;
    this.#forgive(message);
    const control = controlOf(message.message);
    if (control.tag === 'other' || control.tag === 'pin' || message.category === 'peer') return this.#settle(inboxIds);
    const addresses = await addressesOf(sock, message.key);
    const { chat, sender, senderLid } = addresses;
    const [inboxId = null, ...others] = inboxIds;
    const id = message.key.id ?? '';
    const fromMe = message.key.fromMe === true;
    const at = timeOf(message, clock.now());
    const said = { id, chat, from: sender, fromMe, at, inboxId };
    switch (control.tag) {
      case 'edit':
      case 'delete':
        this.#add(changeItem({ control, chat, author: authorOf(addresses), fromMe, changeId: id, at, inboxId }));
        break;
      case 'reaction':
        this.#add(reactionItem(said, control));
        break;
      case 'vote': {
        // The poll may have arrived with the vote.
        await recorder.drain();
        const voter = { jid: sender, lid: senderLid };
        const selected = await selectedOptions({ sock, store }, { ...control, voter });
        if (selected === null) this.#settle(inboxIds);
        else this.#add(voteItem(said, { pollId: control.pollId, selected }));
        break;
      }
      case 'expiration':
        await expirations.learn(chat, control.seconds);
        this.#settle(inboxIds);
        break;
      default:
        assertNever(control);
    }
    this.#settle(others);
  }

  async #receiptItems(sock: WASocket, receipts: readonly ReceiptFacts[]): Promise<readonly RecordItem[]> {
    const items: RecordItem[] = [];
    const groups = Map.groupBy(receipts, ({ from, group, status, at }) => `${from} ${group} ${status} ${at}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const from = await phoneJidOf(sock, first.from);
      // That the account's own phone has read a message says nothing about its recipient.
      if (from === ownJid(sock)) continue;
      const ids = group.map(({ messageId }) => messageId);
      items.push(...receiptItems(ids, first, from));
    }
    return items;
  }

  #hold({ message, isBackfill }: RecoveredMessage, noteId: string | null): void {
    const id = message.key.id ?? '';
    if (this.#undecryptable.hold(id)) this.#held.set(id, { message, isBackfill, noteId });
    else if (noteId !== null && this.#held.get(id)?.noteId !== noteId) this.#settle([noteId]);
  }

  /** A message that could not be decrypted has come after all; answers how it came then. */
  #forgive(message: WAMessage): RecoveredMessage | null {
    const id = message.key.id ?? '';
    const held = this.#held.get(id);
    if (held === undefined) return null;
    this.#held.delete(id);
    this.#undecryptable.resolve(id);
    if (held.noteId !== null) this.#settle([held.noteId]);
    return held;
  }

  /** A duplicate of a message that is known can look undecryptable: what is known needs no telling. */
  async #tellUndecryptable(id: string): Promise<void> {
    const held = this.#held.get(id);
    this.#held.delete(id);
    if (held === undefined) return;
    const { message, noteId } = held;
    if (await this.#isKnown(id, held)) return this.#settle(noteId === null ? [] : [noteId]);
    const chat = message.key.remoteJidAlt || message.key.remoteJid || '';
    const isGroup = isGroupJid(chat);
    this.#add({
      tag: 'event',
      at: this.#options.clock.now(),
      onceId: `undecryptable:${id}`,
      inboxId: noteId,
      event: {
        name: 'message_undecryptable',
        data: {
          message_id: id,
          chat,
          from: isGroup ? message.key.participantAlt || message.key.participant || null : chat,
          reason: 'The message could not be decrypted and its sender did not send it again.',
        },
      },
    });
  }

  /** While the store does not answer, the message is waited for a while longer. */
  async #isKnown(id: string, held: Held): Promise<boolean> {
    try {
      return (await this.#options.store.message(id)) !== null;
    } catch (error) {
      this.#hold(held, held.noteId);
      throw error;
    }
  }

  #settle(inboxIds: readonly string[]): void {
    for (const inboxId of inboxIds) this.#add({ tag: 'inbox_settled', inboxId });
  }

  #add(item: RecordItem): void {
    void this.#options.recorder.add(item);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch(() => this.#options.onError('a received message could not be mapped'));
  }
}

function authorOf({ sender, senderLid }: Addresses) {
  return { jid: sender, lid: senderLid };
}

/** Phone-number JIDs of those whom a message names, as far as they are known. */
async function peopleOf(
  sock: WASocket,
  { mentions, quoted }: ContentDescription,
): Promise<ReadonlyMap<string, string>> {
  const jids = new Set([...mentions, ...(quoted?.from ? [quoted.from] : [])]);
  const pairs = [...jids].map(async (jid) => [jid, await phoneJidOf(sock, jid)] as const);
  return new Map(await Promise.all(pairs));
}
