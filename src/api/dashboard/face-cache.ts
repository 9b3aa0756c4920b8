/**
 * Profile pictures that were asked for lately, and who has none: WhatsApp is not asked again for a while either way.
 * Pure but for what it keeps; the least recently used go first.
 */
import type { ProfilePicture } from '../../media/profile-picture.ts';

export interface KnownFace {
  /** Null for who has no picture, or none that the account may see. */
  readonly picture: ProfilePicture | null;
  /** Unix milliseconds. */
  readonly until: number;
}

interface Limits {
  readonly entries: number;
  readonly bytes: number;
}

export class FaceCache {
  readonly #limits: Limits;
  /** In order of use. */
  readonly #known = new Map<string, KnownFace>();
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Null when it is not known, or not any more. */
  find(key: string, now: number): KnownFace | null {
    const face = this.#known.get(key);
    if (face === undefined) return null;
    this.#forget(key);
    if (face.until <= now) return null;
    this.#add(key, face);
    return face;
  }

  keep(key: string, face: KnownFace): void {
    this.#forget(key);
    this.#add(key, face);
    const { entries, bytes } = this.#limits;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= entries && this.#bytes <= bytes) return;
      this.#forget(oldest);
    }
  }

  #add(key: string, face: KnownFace): void {
    this.#known.set(key, face);
    this.#bytes += sizeOf(face);
  }

  #forget(key: string): void {
    const face = this.#known.get(key);
    if (face === undefined) return;
    this.#known.delete(key);
    this.#bytes -= sizeOf(face);
  }
}

const sizeOf = ({ picture }: KnownFace): number => picture?.bytes.length ?? 0;
