/** How a simulated person behaves: what it answers, and from which of its addresses. */
import { z } from 'zod';
import type { Records, User } from '../types.ts';

const settingsSchema = z.object({
  /** `reads` also tells delivery, `echoes` also reads and sends the text back. */
  behaviour: z.enum(['silent', 'delivers', 'reads', 'echoes']),
  /** The address that its messages and receipts come from. */
  addressing: z.enum(['lid', 'pn']),
  /** Has to be asked before being a member of a group. */
  forbidsGroupAdd: z.boolean().default(false),
});

export type PersonSettings = z.infer<typeof settingsSchema>;

const KIND = 'person-settings';
const DEFAULTS: PersonSettings = { behaviour: 'delivers', addressing: 'lid', forbidsGroupAdd: false };

export class ContactSettings {
  readonly #records: Records;
  readonly #byLid = new Map<string, PersonSettings>();

  constructor(records: Records) {
    this.#records = records;
    for (const { key, value } of records.list(KIND)) {
      this.#byLid.set(key, settingsSchema.parse(JSON.parse(Buffer.from(value).toString('utf8'))));
    }
  }

  of(user: User): PersonSettings {
    return this.#byLid.get(user.lid) ?? DEFAULTS;
  }

  change(user: User, change: Partial<PersonSettings>): void {
    const settings = { ...this.of(user), ...change };
    this.#byLid.set(user.lid, settings);
    this.#records.put(KIND, user.lid, Buffer.from(JSON.stringify(settings)));
  }
}
