/** The library's view of credentials and keys, on top of the store client. */
import type { AuthenticationState, SignalKeyStore } from '@whiskeysockets/baileys';
import { isEnd, type StoreClient } from '../store-client.ts';
import type { StoredValue } from '../../contract/ipc.ts';
import { trusted } from '../../contract/trusted.ts';
import { readCreds, readKey, writeCreds, writeKeys, type AuthenticationCreds } from './values.ts';

export interface AuthState extends AuthenticationState {
  /** Writes the credentials as they are now; resolves after COMMIT. Calls while a write is under way become one more. */
  saveCreds(): Promise<void>;
}

export function createAuthState(store: StoreClient, stored: StoredValue | null): AuthState {
  const creds = readCreds(stored);
  const { generation } = store;
  return {
    creds,
    keys: createKeyStore(store, creds),
    saveCreds: coalesced(() => store.set({}, writeCreds(creds), generation)),
  };
}

function createKeyStore(store: StoreClient, creds: AuthenticationCreds): SignalKeyStore {
  const { generation } = store;
  return {
    get: async (type, ids) => {
      const stored = await orNever(store.get(type, ids));
      const found = Object.fromEntries(Object.entries(stored).map(([id, bytes]) => [id, readKey(type, bytes)]));
      return type === 'sender-key-memory' ? withOwnDevice(ids, found, creds) : found;
    },
    set: async (data) => {
      const newest = newestPreKeyId(data['pre-key']);
      const counted = newest === null ? null : writeCreds(withPreKeysCounted(creds, newest));
      await orNever(store.set(writeKeys(data), counted, generation));
    },
  };
}

/**
 * The library answers WhatsApp for whatever fails: a message whose keys cannot be had would be refused, and WhatsApp
 * would forget it. When this process loses its store the link is about to end, too; until then nothing is said, and
 * WhatsApp delivers what it was not told of again.
 */
async function orNever<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (isEnd(error)) return new Promise(() => undefined);
    throw error;
  }
}

/**
 * The library sends the sender key of a group in which members are addressed by LID to this very device as well: it
 * compares the user with a whole JID. WhatsApp may refuse such a message with 479, so the own device counts as one that
 * has the key.
 */
function withOwnDevice<Memory>(
  groups: readonly string[],
  found: Readonly<Record<string, Memory>>,
  { me }: AuthenticationCreds,
): Record<string, Memory> {
  const own = me?.lid;
  if (own === undefined) return { ...found };
  return Object.fromEntries(groups.map((id) => [id, trusted<Memory>({ ...found[id], [own]: true })]));
}

/** The highest id among pre-keys that are added, or null. */
function newestPreKeyId(preKeys: Readonly<Record<string, unknown>> | undefined): number | null {
  const ids = Object.entries(preKeys ?? {}).flatMap(([id, value]) =>
    value === null || value === undefined ? [] : [Number(id)],
  );
  return ids.length === 0 ? null : Math.max(...ids);
}

/**
 * New pre-keys and the counter that says so must be durable together: with the counter lost, the next upload would give
 * their ids to other keys, and whoever fetched the old ones could not be decrypted. The library raises its own counter
 * only when its event buffer is flushed.
 */
function withPreKeysCounted(creds: AuthenticationCreds, newest: number): AuthenticationCreds {
  return { ...creds, nextPreKeyId: Math.max(creds.nextPreKeyId, newest + 1) };
}

function coalesced(write: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  return () => {
    if (running === null) {
      running = write().finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        running = write().finally(() => {
          running = null;
        });
        return running;
      });
    return next;
  };
}
