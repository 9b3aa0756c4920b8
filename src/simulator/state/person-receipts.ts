/** What simulated people have told of messages of gateway sessions: the ticks that their writers get to see. */
import { z } from 'zod';
import type { Records, User } from '../types.ts';

const toldSchema = z.object({
  /** Unix seconds, as all times here; null while it has not been told. */
  deliveredAt: z.number().nullable(),
  readAt: z.number().nullable(),
  playedAt: z.number().nullable(),
});

export type ToldReceipts = Readonly<z.output<typeof toldSchema>>;

/** One person's copy of a message of an account. */
export interface MessageCopy {
  readonly account: User;
  readonly messageId: string;
  readonly reader: User;
}

const KIND = 'person-receipt';
const KEPT = 20_000;
const NOTHING: ToldReceipts = { deliveredAt: null, readAt: null, playedAt: null };
const fields = { delivered: 'deliveredAt', read: 'readAt', played: 'playedAt' } as const;

export class PersonReceipts {
  readonly #records: Records;
  readonly #byCopy = new Map<string, ToldReceipts>();

  constructor(records: Records) {
    this.#records = records;
    for (const { key, value } of records.list(KIND)) {
      this.#byCopy.set(key, toldSchema.parse(JSON.parse(Buffer.from(value).toString('utf8'))));
    }
  }

  of(copy: MessageCopy): ToldReceipts {
    return this.#byCopy.get(keyOf(copy)) ?? NOTHING;
  }

  /** The first of each type counts; what was read has been delivered, too. */
  tell(copy: MessageCopy, type: keyof typeof fields, at: number): void {
    const key = keyOf(copy);
    const known = this.of(copy);
    const told = { ...known, deliveredAt: known.deliveredAt ?? at, [fields[type]]: known[fields[type]] ?? at };
    this.#byCopy.set(key, told);
    this.#records.put(KIND, key, Buffer.from(JSON.stringify(told)));
    if (this.#byCopy.size <= KEPT) return;
    for (const oldest of this.#byCopy.keys()) {
      this.#byCopy.delete(oldest);
      this.#records.delete(KIND, oldest);
      break;
    }
  }
}

function keyOf({ account, messageId, reader }: MessageCopy): string {
  return `${account.lid}/${messageId}/${reader.lid}`;
}
