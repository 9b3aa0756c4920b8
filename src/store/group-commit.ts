/**
 * Collects the writes of all children: what arrives while a commit is under way goes into the next one, so that many
 * children share one flush of the disk, and a lone writer waits for nobody.
 */
import { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';
import { outsideRequests } from '../request-scope.ts';
import { traced } from '../tracing.ts';
import type { Outcome, Write } from './commit-batch.ts';

/** Bounds the size of one transaction; what does not fit goes into the next. */
const maxWritesPerCommit = 500;

interface Waiting<Each> {
  readonly write: Each;
  readonly done: (outcome: Outcome) => void;
  readonly failed: (error: unknown) => void;
}

export class CommitQueue<Each = Write> {
  private waiting: Waiting<Each>[] = [];
  private running: Promise<void> | null = null;
  private readonly commit: (writes: readonly Each[]) => Promise<readonly Outcome[]>;
  private readonly log: Logger;

  /** `commit` carries out writes in one transaction and answers an outcome for each, or throws for all of them. */
  constructor(commit: (writes: readonly Each[]) => Promise<readonly Outcome[]>, log: Logger) {
    this.commit = commit;
    this.log = log;
  }

  /** Resolves after COMMIT; rejects with what the write met: `fenced`, `storage_unavailable`, or the database's error. */
  submit(write: Each): Promise<void> {
    return traced('store commit', {}, () => this.enqueue(write));
  }

  private enqueue(write: Each): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        write,
        done: (outcome) => (outcome === null ? resolve() : reject(outcome)),
        failed: reject,
      });
      this.running ??= outsideRequests(() => this.run());
    });
  }

  /** Resolves when everything handed over so far is committed or refused. */
  async drain(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  private async run(): Promise<void> {
    // Whatever else comes in this turn of the event loop, from whichever child, belongs into the same transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      await this.commitTogether(this.waiting.splice(0, maxWritesPerCommit));
    }
    this.running = null;
  }

  private async commitTogether(batch: readonly Waiting<Each>[]): Promise<void> {
    try {
      const outcomes = await this.commit(batch.map(({ write }) => write));
      for (const [index, entry] of batch.entries()) entry.done(outcomes[index] ?? null);
    } catch (error) {
      if (batch.length === 1 || isUnavailable(error)) {
        for (const entry of batch) entry.failed(error);
        return;
      }
      // One write carries what the database refuses; alone, it fails alone.
      this.log.warn({ err: error, writes: batch.length }, 'group commit failed, committing its writes one by one');
      for (const entry of batch) await this.commitTogether([entry]);
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof WardenError && error.code === 'storage_unavailable';
}
