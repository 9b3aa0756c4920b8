/**
 * How the account wants to be seen, and whose presence it wants to know. WhatsApp forgets both with every connection, so
 * that they are kept and said again.
 */
import type { WASocket } from './engine/link-socket.ts';
import { readValue, writeValue } from './engine/values.ts';
import type { StoreClient } from './store-client.ts';

const wishesKeyType = 'presence-wishes';
const wishesId = 'all';
/** WhatsApp serves a person's client; the oldest wish makes room for a new one. */
const maxSubscriptions = 500;

interface Wishes {
  readonly isAvailable: boolean;
  readonly subscriptions: readonly string[];
}

export class PresenceWishes {
  readonly #store: Pick<StoreClient, 'get' | 'set'>;
  /** Changes follow each other: each builds on the one before. */
  #changes: Promise<void> = Promise.resolve();

  constructor(store: Pick<StoreClient, 'get' | 'set'>) {
    this.#store = store;
  }

  async setAvailable(sock: WASocket, isAvailable: boolean): Promise<void> {
    await sock.sendPresenceUpdate(isAvailable ? 'available' : 'unavailable');
    await this.#change((wishes) => ({ ...wishes, isAvailable }));
  }

  async subscribe(sock: WASocket, jid: string): Promise<void> {
    await sock.presenceSubscribe(jid);
    await this.#change(({ isAvailable, subscriptions }) => ({
      isAvailable,
      subscriptions: [...subscriptions.filter((each) => each !== jid), jid].slice(-maxSubscriptions),
    }));
  }

  /** Says on a new connection what was said before. */
  async restore(sock: WASocket): Promise<void> {
    const { isAvailable, subscriptions } = await this.#read();
    if (isAvailable) await sock.sendPresenceUpdate('available');
    for (const jid of subscriptions) await sock.presenceSubscribe(jid);
  }

  #change(change: (wishes: Wishes) => Wishes): Promise<void> {
    const done = this.#changes.then(async () => {
      const value = writeValue(change(await this.#read()));
      await this.#store.set({ [wishesKeyType]: { [wishesId]: value } }, null);
    });
    this.#changes = done.catch(() => undefined);
    return done;
  }

  async #read(): Promise<Wishes> {
    const stored = (await this.#store.get(wishesKeyType, [wishesId]))[wishesId];
    return stored === undefined ? { isAvailable: false, subscriptions: [] } : readValue<Wishes>(stored);
  }
}
