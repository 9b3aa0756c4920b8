/** How fast a page may make a session ask WhatsApp: a few at once, and no more in a minute than a person's own app would. */

interface Limits {
  readonly atOnce: number;
  /** Asked one after the other without a pause before the rate counts. */
  readonly burst: number;
  readonly perMinute: number;
  readonly waiting: number;
}

interface Lane {
  running: number;
  tokens: number;
  at: number;
  readonly waiting: (() => void)[];
}

export class AskTurns {
  readonly #limits: Limits;
  readonly #lanes = new Map<string, Lane>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Runs the work when it is its turn; null at once when too much was asked already. `now` in unix milliseconds. */
  async run<Value>(session: string, now: number, work: () => Promise<Value>): Promise<Value | null> {
    const { atOnce, burst, perMinute, waiting } = this.#limits;
    const lane = this.#lanes.get(session) ?? { running: 0, tokens: burst, at: now, waiting: [] };
    this.#lanes.set(session, lane);
    lane.tokens = Math.min(burst, lane.tokens + (Math.max(0, now - lane.at) * perMinute) / 60_000);
    lane.at = now;
    if (lane.tokens < 1 || lane.waiting.length >= waiting) return null;
    lane.tokens -= 1;
    if (lane.running >= atOnce) await new Promise<void>((resolve) => lane.waiting.push(resolve));
    else lane.running += 1;
    try {
      return await work();
    } finally {
      // The place is handed on as it is: nobody gets in between.
      const next = lane.waiting.shift();
      if (next === undefined) lane.running -= 1;
      else next();
    }
  }
}
