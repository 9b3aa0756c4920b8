/**
 * Hands what a session has to tell to the store, in order and in batches: while one batch is being committed the next
 * one gathers. A batch that the store refuses is handed over item by item, so that one bad item costs nothing but itself.
 */
import { toWardenError, type WardenError } from '../contract/errors.ts';
import type { RecordItem } from '../contract/ipc.ts';
import { isEnd } from './store-client.ts';

const maxBatchItems = 64;
const maxBatchBytes = 512 * 1024;

interface RecorderOptions {
  readonly commit: (items: readonly RecordItem[]) => Promise<void>;
  readonly onLost: (item: RecordItem, error: WardenError) => void;
}

interface Waiting {
  readonly item: RecordItem;
  readonly bytes: number;
  readonly done: (isSettled: boolean) => void;
}

export class Recorder {
  readonly #options: RecorderOptions;
  readonly #queue: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * Resolves with true when the item is committed, or the store will never take it; with false when this process cannot
   * write any more, and somebody else has to record it.
   */
  add(item: RecordItem): Promise<boolean> {
    return new Promise((resolve) => {
      this.#queue.push({ item, bytes: sizeOf(item), done: resolve });
      this.#running ??= this.#run();
    });
  }

  /** As `add`, of all of them. */
  async addAll(items: readonly RecordItem[]): Promise<boolean> {
    const outcomes = await Promise.all(items.map((item) => this.add(item)));
    return outcomes.every(Boolean);
  }

  /** Resolves when everything added so far is settled. */
  async drain(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the loop gathers what the same stanza brings.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#take();
      try {
        await this.#options.commit(batch.map(({ item }) => item));
        for (const { done } of batch) done(true);
      } catch (error) {
        if (batch.length === 1) this.#giveUp(batch, error);
        else await this.#oneByOne(batch);
      }
    }
    this.#running = null;
  }

  async #oneByOne(batch: readonly Waiting[]): Promise<void> {
    for (const waiting of batch) {
      try {
        await this.#options.commit([waiting.item]);
        waiting.done(true);
      } catch (error) {
        this.#giveUp([waiting], error);
      }
    }
  }

  #giveUp(batch: readonly Waiting[], error: unknown): void {
    const known = toWardenError(error);
    for (const { item, done } of batch) {
      this.#options.onLost(item, known);
      done(!isEnd(known));
    }
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && (count >= maxBatchItems || bytes > maxBatchBytes)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }
}

function sizeOf(item: RecordItem): number {
  if (item.tag !== 'message') return 512;
  return 1024 + (item.record.proto?.byteLength ?? 0) + 2 * (item.record.body?.length ?? 0);
}
