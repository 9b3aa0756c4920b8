/** How credentials and Signal keys become the bytes that the store keeps. Structured clone keeps buffers as they are. */
import { deserialize, serialize } from 'node:v8';
import {
  initAuthCreds,
  proto,
  type AuthenticationCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys';
import type { KeyMutations, StoredValue } from '../../contract/ipc.ts';
import { trusted } from '../../contract/trusted.ts';

export type { AuthenticationCreds };

/** New credentials for a pairing, or the stored ones. */
export function readCreds(stored: StoredValue | null): AuthenticationCreds {
  return stored === null ? initAuthCreds() : readValue<AuthenticationCreds>(stored);
}

export function writeCreds(creds: AuthenticationCreds): StoredValue {
  return serialize({ ...creds });
}

export function readKey<T extends keyof SignalDataTypeMap>(type: T, stored: StoredValue): SignalDataTypeMap[T] {
  const value = readValue<SignalDataTypeMap[T]>(stored);
  if (type !== 'app-state-sync-key') return value;
  // The library expects a message object here, which structured clone has turned into a plain one.
  const plain = readValue<{ [key: string]: unknown }>(stored);
  return trusted<SignalDataTypeMap[T]>(proto.Message.AppStateSyncKeyData.fromObject(plain));
}

/** Mutations as the store takes them; null and undefined delete. */
export function writeKeys(data: SignalDataSet): KeyMutations {
  const mutations: Record<string, Record<string, StoredValue | null>> = {};
  for (const [type, values] of Object.entries(data)) {
    const written: Record<string, StoredValue | null> = {};
    for (const [id, value] of Object.entries(values ?? {})) {
      written[id] = value === null || value === undefined ? null : serialize(value);
    }
    mutations[type] = written;
  }
  return mutations;
}

export function writeValue(value: unknown): StoredValue {
  return serialize(value);
}

/** What `writeValue` wrote; the caller names the type, since only this process writes these bytes. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what nobody can infer
export function readValue<T>(stored: StoredValue): T {
  return trusted<T>(deserialize(stored));
}
