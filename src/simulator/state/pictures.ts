/** The pictures of people and groups, and the unguessable names under which clients fetch them. */
import { randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Records } from '../types.ts';

const pictureSchema = z.object({ id: z.string(), file: z.string() });

export type Picture = z.output<typeof pictureSchema>;

const KIND = 'picture';
const FILES = 'picture-file';

export class Pictures {
  readonly #records: Records;

  constructor(records: Records) {
    this.#records = records;
  }

  /** The picture of a person (LID digits) or a group (JID). */
  of(subject: string): Picture | undefined {
    const stored = this.#records.get(KIND, subject);
    return stored === undefined ? undefined : pictureSchema.parse(JSON.parse(Buffer.from(stored).toString('utf8')));
  }

  /** Replaces the picture; answers the new one. */
  set(subject: string, bytes: Uint8Array): Picture {
    this.remove(subject);
    const picture = { id: String(randomInt(1_000_000_000, 2_000_000_000)), file: randomBytes(12).toString('hex') };
    this.#records.put(FILES, picture.file, bytes);
    this.#records.put(KIND, subject, Buffer.from(JSON.stringify(picture)));
    return picture;
  }

  /** Whether there was one. */
  remove(subject: string): boolean {
    const old = this.of(subject);
    if (old === undefined) return false;
    this.#records.delete(FILES, old.file);
    this.#records.delete(KIND, subject);
    return true;
  }

  bytes(file: string): Uint8Array | undefined {
    return this.#records.get(FILES, file);
  }
}
