/** What simulated people received from gateway sessions, kept by the account that sent it. */
import { z } from 'zod';
import type { Records, User } from '../types.ts';

export interface InboxEntry {
  readonly messageId: string;
  /** LID digits of the person who received this copy. */
  readonly reader: string;
  /** JID of the chat as the sending account sees it. */
  readonly chat: string;
  /** Unix seconds. */
  readonly at: number;
  /** The same instant in milliseconds: what was said first within one second. */
  readonly atMs: number;
  /** The message protobuf. */
  readonly content: Uint8Array;
}

interface AccountInbox {
  entries: InboxEntry[];
  readonly byCopy: Map<string, InboxEntry>;
  /** Number of the first entry in the records; entries are numbered without gaps. */
  first: number;
}

const KIND = 'inbox';
const KEPT = 10_000;
/** Pruned in one go, so that each message does not move the whole list. */
const PRUNED_AT_ONCE = 1_000;

const storedSchema = z.object({
  messageId: z.string(),
  reader: z.string(),
  chat: z.string(),
  at: z.number(),
  atMs: z.number().exactOptional(),
  content: z.base64(),
});

export class Inbox {
  readonly #records: Records;
  readonly #byAccount = new Map<string, AccountInbox>();

  constructor(records: Records) {
    this.#records = records;
    for (const { key, value } of records.list(KIND)) {
      const stored = storedSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')));
      const [account = '', number = '0'] = key.split('/');
      const inbox = this.#of(account, Number(number));
      const entry = {
        ...stored,
        atMs: stored.atMs ?? stored.at * 1000,
        content: Buffer.from(stored.content, 'base64'),
      };
      inbox.entries.push(entry);
      inbox.byCopy.set(copyKey(entry.reader, entry.messageId), entry);
    }
  }

  /** Whether this person has this message of the account already. */
  has(account: User, reader: User, messageId: string): boolean {
    return this.#byAccount.get(account.lid)?.byCopy.has(copyKey(reader.lid, messageId)) ?? false;
  }

  /** Keeps the copy; people see a message id once, so that a second copy changes nothing. */
  add(account: User, entry: InboxEntry): void {
    const inbox = this.#of(account.lid, 0);
    const copy = copyKey(entry.reader, entry.messageId);
    if (inbox.byCopy.has(copy)) return;
    const stored = { ...entry, content: Buffer.from(entry.content).toString('base64') };
    this.#records.put(
      KIND,
      entryKey(account.lid, inbox.first + inbox.entries.length),
      Buffer.from(JSON.stringify(stored)),
    );
    inbox.entries.push(entry);
    inbox.byCopy.set(copy, entry);
    if (inbox.entries.length >= KEPT + PRUNED_AT_ONCE) this.#prune(account.lid, inbox);
  }

  /** All copies that the account's messages made, oldest first. */
  list(account: User): readonly InboxEntry[] {
    return this.#byAccount.get(account.lid)?.entries ?? [];
  }

  /** The copies of one message. */
  copies(account: User, messageId: string): readonly InboxEntry[] {
    return this.list(account).filter((entry) => entry.messageId === messageId);
  }

  #of(account: string, first: number): AccountInbox {
    const known = this.#byAccount.get(account);
    if (known !== undefined) return known;
    const fresh: AccountInbox = { entries: [], byCopy: new Map(), first };
    this.#byAccount.set(account, fresh);
    return fresh;
  }

  #prune(account: string, inbox: AccountInbox): void {
    for (const entry of inbox.entries.slice(0, PRUNED_AT_ONCE)) {
      this.#records.delete(KIND, entryKey(account, inbox.first));
      inbox.byCopy.delete(copyKey(entry.reader, entry.messageId));
      inbox.first += 1;
    }
    inbox.entries = inbox.entries.slice(PRUNED_AT_ONCE);
  }
}

function entryKey(account: string, number: number): string {
  return `${account}/${String(number).padStart(12, '0')}`;
}

function copyKey(reader: string, messageId: string): string {
  return `${reader}/${messageId}`;
}
