/** The push names of those who wrote, as last seen, so that a change of name is told once. */
import type { RecordItem } from '../contract/ipc.ts';
import { readValue, writeValue } from './engine/values.ts';
import { nameChange } from './events/contacts.ts';
import type { StoreClient } from './store-client.ts';

const nameKeyType = 'contact-name';

export interface KnownName {
  readonly name: string;
  /** Unix milliseconds at which it was first seen. */
  readonly since: number;
}

export class ContactNames {
  readonly #store: Pick<StoreClient, 'get' | 'set'>;

  constructor(store: Pick<StoreClient, 'get' | 'set'>) {
    this.#store = store;
  }

  /** The names of people by their JIDs, as far as they are known. */
  async of(jids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const stored = await this.#store.get(nameKeyType, jids);
    return new Map(Object.entries(stored).map(([jid, bytes]) => [jid, readValue<KnownName>(bytes).name]));
  }

  /** Notes a name; a change is told first and kept then, so that a crash in between loses neither. */
  async note(
    seen: { readonly jid: string; readonly name: string; readonly at: number },
    tell: (item: RecordItem) => Promise<unknown>,
  ): Promise<void> {
    const { jid, name, at } = seen;
    const stored = (await this.#store.get(nameKeyType, [jid]))[jid];
    const known = stored === undefined ? null : readValue<KnownName>(stored);
    if (known?.name === name) return;
    if (known !== null) await tell(nameChange(seen, known));
    const value: KnownName = { name, since: at };
    await this.#store.set({ [nameKeyType]: { [jid]: writeValue(value) } }, null);
  }
}
