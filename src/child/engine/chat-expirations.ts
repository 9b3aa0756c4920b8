/** After how long the messages of a chat disappear, as far as messages have told: what we send keeps to it. */
import type { StoreClient } from '../store-client.ts';
import { readValue, writeValue } from './values.ts';

/** The key type under which the settings are kept. */
const expirationType = 'chat-expiration';

export class ChatExpirations {
  readonly #store: Pick<StoreClient, 'get' | 'set'>;

  constructor(store: Pick<StoreClient, 'get' | 'set'>) {
    this.#store = store;
  }

  /** Seconds; 0 when messages stay. */
  async of(chat: string): Promise<number> {
    const known = (await this.#store.get(expirationType, [chat]))[chat];
    return known === undefined ? 0 : readValue<number>(known);
  }

  async learn(chat: string, seconds: number): Promise<void> {
    if ((await this.of(chat)) === seconds) return;
    await this.#store.set({ [expirationType]: { [chat]: seconds === 0 ? null : writeValue(seconds) } }, null);
  }
}
