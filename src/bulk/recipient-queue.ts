/** The recipients that a bulk has not begun, read page by page: what is in memory does not grow with their number. */
import type { BulkStore, QueuedRecipient } from '../store/bulk-store.ts';

const pageSize = 200;

export class RecipientQueue {
  readonly #bulks: Pick<BulkStore, 'listQueued'>;
  readonly #id: string;
  #page: readonly QueuedRecipient[] = [];
  /** Everything up to here is known not to be free while new chats wait. */
  #searchedTo = -1;

  constructor(bulks: Pick<BulkStore, 'listQueued'>, id: string) {
    this.#bulks = bulks;
    this.#id = id;
  }

  /** The first of all; null when none is left. */
  async first(): Promise<QueuedRecipient | null> {
    if (this.#page.length === 0) this.#page = await this.#bulks.listQueued(this.#id, -1, pageSize);
    return this.#page[0] ?? null;
  }

  /** The first of those that `listFree` lets through; null when there is none, until the search begins anew. */
  async firstFree(
    listFree: (chats: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<QueuedRecipient | null> {
    for (;;) {
      const page = await this.#bulks.listQueued(this.#id, this.#searchedTo, pageSize);
      const free = await listFree(page.map(({ chat }) => chat));
      const found = page.find(({ chat }) => free.has(chat));
      this.#searchedTo = found === undefined ? (page.at(-1)?.position ?? this.#searchedTo) : found.position - 1;
      if (found !== undefined || page.length < pageSize) return found ?? null;
    }
  }

  searchAnew(): void {
    this.#searchedTo = -1;
  }

  /** A recipient is queued no more, or may not be. */
  drop({ position }: QueuedRecipient): void {
    this.#page = this.#page.filter((each) => each.position !== position);
  }
}
