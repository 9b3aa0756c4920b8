/** Pure: folds what a batch does to Signal keys and credentials into one final state per row, in order. */
import type { KeyMutations, StoredValue } from '../contract/ipc.ts';

/** Decrypted messages that wait to be recorded live among the keys under this type. */
export const inboxType = 'inbox';

export type KeyWrite =
  | {
      readonly tag: 'set';
      readonly session: string;
      readonly mutations: KeyMutations;
      readonly creds: StoredValue | null;
    }
  | { readonly tag: 'settle_inbox'; readonly session: string; readonly id: string }
  /** Deletes credentials and keys, but not messages that wait to be recorded. */
  | { readonly tag: 'clear'; readonly session: string };

export interface KeyRow {
  readonly session: string;
  readonly type: string;
  readonly id: string;
  readonly value: StoredValue | null;
}

export interface KeyChanges {
  /** Sessions whose rows are deleted before the changes below apply. */
  readonly cleared: readonly string[];
  readonly keys: readonly KeyRow[];
  readonly credentials: readonly { readonly session: string; readonly value: StoredValue }[];
}

/** The later write of a row wins, and a clear undoes what came before it. */
export function foldKeyChanges(writes: readonly KeyWrite[]): KeyChanges {
  const cleared = new Set<string>();
  const keys = new Map<string, KeyRow>();
  const credentials = new Map<string, StoredValue>();
  for (const write of writes) {
    const { session } = write;
    switch (write.tag) {
      case 'set':
        for (const [type, values] of Object.entries(write.mutations)) {
          for (const [id, value] of Object.entries(values)) {
            keys.set(JSON.stringify([session, type, id]), { session, type, id, value });
          }
        }
        if (write.creds !== null) credentials.set(session, write.creds);
        break;
      case 'settle_inbox':
        keys.set(JSON.stringify([session, inboxType, write.id]), {
          session,
          type: inboxType,
          id: write.id,
          value: null,
        });
        break;
      case 'clear':
        cleared.add(session);
        credentials.delete(session);
        for (const [name, row] of keys) if (row.session === session && row.type !== inboxType) keys.delete(name);
        break;
    }
  }
  return {
    cleared: [...cleared],
    keys: [...keys.values()],
    credentials: [...credentials].map(([session, value]) => ({ session, value })),
  };
}
