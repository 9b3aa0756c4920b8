/** What people tell about themselves: the "about" text, whether they are a business, what of it is hidden. */
import { z } from 'zod';
import type { Records, User } from '../types.ts';

export const businessSchema = z.strictObject({
  name: z.string().max(200).optional(),
  description: z.string().max(2000).optional(),
  address: z.string().max(500).optional(),
  email: z.string().max(200).optional(),
  website: z.string().max(500).optional(),
  category: z.string().max(200).optional(),
  timezone: z.string().max(100).optional(),
});

const profileSchema = z.object({
  about: z.string(),
  /** Unix seconds; 0 for the text that everybody begins with. */
  aboutAt: z.number(),
  isAboutHidden: z.boolean(),
  isPictureHidden: z.boolean(),
  business: businessSchema.nullable(),
  /** Life of messages in new chats, seconds; 0 for ever. */
  disappearingS: z.number(),
  disappearingAt: z.number(),
});

export type Business = z.output<typeof businessSchema>;
export type Profile = Readonly<z.output<typeof profileSchema>>;

const KIND = 'profile';
const DEFAULTS: Profile = {
  about: 'Hey there! I am using WhatsApp.',
  aboutAt: 0,
  isAboutHidden: false,
  isPictureHidden: false,
  business: null,
  disappearingS: 0,
  disappearingAt: 0,
};

export class Profiles {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  of(user: User): Profile {
    const stored = this.#records.get(KIND, user.lid);
    return stored === undefined ? DEFAULTS : profileSchema.parse(JSON.parse(Buffer.from(stored).toString('utf8')));
  }

  change(user: User, change: Partial<Profile>): void {
    this.#records.put(KIND, user.lid, Buffer.from(JSON.stringify({ ...this.of(user), ...change })));
  }
}
