/** A few numbers per instant for the last so many instants, in memory of a fixed size. */
import { trusted } from '../contract/trusted.ts';

export interface Point<Field extends string> {
  /** Unix milliseconds. */
  readonly at: number;
  /** Null where nothing was known. */
  readonly values: Readonly<Record<Field, number | null>>;
}

export class TimeSeries<Field extends string> {
  readonly #fields: readonly Field[];
  readonly #capacity: number;
  readonly #instants: Float64Array;
  readonly #values: Float32Array;
  #count = 0;

  constructor(fields: readonly Field[], capacity: number) {
    this.#fields = fields;
    this.#capacity = capacity;
    this.#instants = new Float64Array(capacity);
    this.#values = new Float32Array(capacity * fields.length);
  }

  /** The oldest instant makes room when it is full. */
  add(at: number, values: Readonly<Record<Field, number | null>>): void {
    const slot = this.#count % this.#capacity;
    this.#instants[slot] = at;
    this.#fields.forEach((field, index) => {
      this.#values[slot * this.#fields.length + index] = values[field] ?? Number.NaN;
    });
    this.#count += 1;
  }

  /** Unix milliseconds of the latest instant; null while there is none. */
  get lastAt(): number | null {
    return this.#count === 0 ? null : (this.#instants[(this.#count - 1) % this.#capacity] ?? null);
  }

  /** Oldest first. */
  read(): readonly Point<Field>[] {
    const length = Math.min(this.#count, this.#capacity);
    const first = this.#count - length;
    return Array.from({ length }, (_, index) => this.#at((first + index) % this.#capacity));
  }

  #at(slot: number): Point<Field> {
    const values = this.#fields.map((field, index) => {
      const value = this.#values[slot * this.#fields.length + index] ?? Number.NaN;
      return [field, Number.isNaN(value) ? null : value] as const;
    });
    return { at: this.#instants[slot] ?? 0, values: recordOf(values) };
  }
}

/** The fields are those of the series: none is missing and none is added. */
function recordOf<Field extends string>(
  entries: readonly (readonly [Field, number | null])[],
): Readonly<Record<Field, number | null>> {
  return trusted<Record<Field, number | null>>(Object.fromEntries(entries));
}
