/** Turns what a link receives into records, in the order of arrival. */
import type { Clock } from '../clock.ts';
import type { InboxEntry, RecordItem } from '../contract/ipc.ts';
import { addressesOf, phoneJidOf } from './engine/addresses.ts';
import { recoverMessage, type RecoveredMessage } from './engine/inbox.ts';
import type { WAMessage, WAMessageUpdate, WASocket } from './engine/link-socket.ts';
import { kindOf } from './engine/message-content.ts';
import { writeValue } from './engine/values.ts';
import { mapMessage } from './events/messages.ts';
import { receiptItem, receiptsOf, type ReceiptFacts } from './events/receipts.ts';
import type { Link } from './link.ts';
import type { Recorder } from './recorder.ts';
import type { StoreClient } from './store-client.ts';
import { Undecryptable } from './undecryptable.ts';

interface InboundOptions {
  readonly link: () => Link;
  readonly store: StoreClient;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly onError: (text: string) => void;
}

export class Inbound {
  readonly #options: InboundOptions;
  readonly #held = new Map<string, WAMessage>();
  readonly #undecryptable = new Undecryptable((id) => this.#enqueue(() => this.#tellUndecryptable(id)));
  #queue: Promise<void> = Promise.resolve();

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  messages(sock: WASocket, messages: readonly WAMessage[], isBackfill: boolean): void {
    for (const message of messages) {
      const inboxIds = this.#options.link().inbox.take(message.key.id ?? '');
      this.#enqueue(() => this.#message(sock, { message, isBackfill }, inboxIds));
    }
  }

  updates(sock: WASocket, updates: readonly WAMessageUpdate[]): void {
    const receipts = receiptsOf(updates, this.#options.clock.now());
    if (receipts.length > 0) this.#enqueue(() => this.#receipts(sock, receipts));
  }

  /** Records what an earlier child had decrypted but not recorded. */
  recover(sock: WASocket, entries: readonly InboxEntry[]): void {
    const own = this.#options.link().own;
    for (const entry of entries) {
      this.#enqueue(async () => {
        const recovered = recoverMessage(entry, own);
        if (recovered === null) this.#settle([entry.id]);
        else await this.#message(sock, recovered, [entry.id]);
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

  async #message(
    sock: WASocket,
    { message, isBackfill }: RecoveredMessage,
    inboxIds: readonly string[],
  ): Promise<void> {
    const id = message.key.id ?? '';
    switch (kindOf(message)) {
      case 'control':
        this.#settle(inboxIds);
        return;
      case 'undecryptable':
        this.#settle(inboxIds);
        this.#held.set(id, message);
        this.#undecryptable.hold(id);
        return;
      case 'shown': {
        this.#held.delete(id);
        this.#undecryptable.resolve(id);
        const addresses = await addressesOf(sock, message.key);
        const mapped = mapMessage({
          message,
          addresses,
          isBackfill,
          key: writeValue(message.key),
          now: this.#options.clock.now(),
        });
        const [inboxId, ...others] = inboxIds;
        this.#add({ tag: 'message', ...mapped, inboxId: inboxId ?? null });
        this.#settle(others);
      }
    }
  }

  async #receipts(sock: WASocket, receipts: readonly ReceiptFacts[]): Promise<void> {
    const groups = Map.groupBy(receipts, ({ from, status, at }) => `${from} ${status} ${at}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const from = await phoneJidOf(sock, first.from);
      this.#add(
        receiptItem(
          group.map(({ messageId }) => messageId),
          first,
          from,
        ),
      );
    }
  }

  /** A duplicate of a message that is known can look undecryptable: what is known needs no telling. */
  async #tellUndecryptable(id: string): Promise<void> {
    const message = this.#held.get(id);
    this.#held.delete(id);
    if (message === undefined || (await this.#options.store.message(id)) !== null) return;
    const chat = message.key.remoteJidAlt || message.key.remoteJid || '';
    this.#add({
      tag: 'event',
      at: this.#options.clock.now(),
      event: {
        name: 'message_undecryptable',
        data: {
          message_id: id,
          chat,
          from: message.key.participantAlt || message.key.participant || chat,
          reason: 'The message could not be decrypted and its sender did not send it again.',
        },
      },
    });
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
