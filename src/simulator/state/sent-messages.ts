/** What simulated people wrote to gateway sessions: needed to encrypt it again when a session could not read it. */
import { z } from 'zod';
import type { Records, User } from '../types.ts';

export interface SentMessage {
  readonly id: string;
  /** LID digits of who wrote it. */
  readonly from: string;
  /** LID digits of whom it was written to. */
  readonly to: string;
  /** The stanza's type: `text`, `media`, `reaction` … */
  readonly type: string;
  /** The stanza's `edit`, of edits and deletions. */
  readonly edit?: string;
  /** The stanza's `category`: `peer` for what a phone tells a device of its own account. */
  readonly category?: string;
  /** Unix seconds. */
  readonly at: number;
  /** The same instant in milliseconds: what was said first within one second. */
  readonly atMs: number;
  /** The message protobuf. */
  readonly content: Uint8Array;
}

const KIND = 'sent-message';
const KEPT = 10_000;

const storedSchema = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  type: z.string(),
  edit: z.string().exactOptional(),
  category: z.string().exactOptional(),
  at: z.number(),
  atMs: z.number().exactOptional(),
  content: z.base64(),
});

export class SentMessages {
  readonly #records: Records;
  readonly #byKey = new Map<string, SentMessage>();

  constructor(records: Records) {
    this.#records = records;
    const stored = records
      .list(KIND)
      .map(({ value }) => storedSchema.parse(JSON.parse(Buffer.from(value).toString('utf8'))))
      .map((message) => ({ ...message, atMs: message.atMs ?? message.at * 1000 }));
    stored.sort((one, other) => one.atMs - other.atMs);
    for (const message of stored) {
      this.#byKey.set(key(message.from, message.id), { ...message, content: Buffer.from(message.content, 'base64') });
    }
  }

  add(message: SentMessage): void {
    const own = key(message.from, message.id);
    const stored = { ...message, content: Buffer.from(message.content).toString('base64') };
    this.#records.put(KIND, own, Buffer.from(JSON.stringify(stored)));
    this.#byKey.set(own, message);
    if (this.#byKey.size <= KEPT) return;
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest);
      this.#records.delete(KIND, oldest);
      break;
    }
  }

  /** Everything that is kept, oldest first. */
  all(): IterableIterator<SentMessage> {
    return this.#byKey.values();
  }

  /** Whoever wrote it. */
  withId(id: string): readonly SentMessage[] {
    return [...this.#byKey.values()].filter((message) => message.id === id);
  }

  find(from: User, id: string): SentMessage | undefined {
    return this.#byKey.get(key(from.lid, id));
  }
}

function key(from: string, id: string): string {
  return `${from}/${id}`;
}
