/** Pure: the latest frames, as many as a budget of bytes allows, for all streams together. */

export interface Frame {
  readonly session: string;
  readonly name: string;
  /** Of an event its own; of a notice that of the event before it. */
  readonly position: number;
  readonly isNotice: boolean;
  readonly bytes: Buffer;
}

export class RecentFrames {
  readonly #budgetBytes: number;
  #frames: Frame[] = [];
  #bytes = 0;
  /** The number of the first frame that is still here: frames are numbered as they come. */
  #first = 0;
  /** All events after this position are here, up to the tail. */
  #base: number;
  #tail: number;

  constructor(position: number, budgetBytes: number) {
    this.#base = position;
    this.#tail = position;
    this.#budgetBytes = budgetBytes;
  }

  get tail(): number {
    return this.#tail;
  }

  add(frame: Frame): void {
    this.#frames.push(frame);
    this.#bytes += frame.bytes.length;
    this.#tail = frame.position;
    let gone = 0;
    while (this.#bytes > this.#budgetBytes && gone < this.#frames.length - 1) {
      const oldest = this.#frames[gone];
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes.length;
      this.#base = oldest.position;
      gone += 1;
    }
    if (gone > 0) this.#frames = this.#frames.slice(gone);
    this.#first += gone;
  }

  /** Everything up to here has been added. */
  moveTo(position: number): void {
    this.#tail = Math.max(this.#tail, position);
  }

  /** The number of the next frame for who has seen everything up to a position; null when that is too long ago. */
  numberAfter(position: number): number | null {
    if (position < this.#base) return null;
    let index = this.#frames.length;
    while (index > 0 && (this.#frames[index - 1]?.position ?? 0) > position) index -= 1;
    return this.#first + index;
  }

  /** `gone` when it was dropped, null when it is yet to come. */
  at(number: number): Frame | 'gone' | null {
    return number < this.#first ? 'gone' : (this.#frames[number - this.#first] ?? null);
  }
}
