/**
 * Reads the folder in which Baileys' useMultiFileAuthState keeps an account: `creds.json`, and `<type>-<id>.json`
 * for each key, with `/` written as `__` and `:` as `-`. Values are JSON in which bytes are
 * `{"type": "Buffer", "data": "<base64>"}`.
 */
import { serialize } from 'node:v8';
import type { MovedSession } from '../contract/moved-session.ts';

/** The type of a key decides how its id was escaped. Longer names come first: some begin like others. */
const keyTypes = [
  'app-state-sync-version',
  'app-state-sync-key',
  'sender-key-memory',
  'identity-key',
  'lid-mapping',
  'device-list',
  'sender-key',
  'pre-key',
  'session',
  'tctoken',
] as const;

const credsFile = 'creds.json';

export interface FolderProblem {
  readonly file: string;
  /** As the end of a sentence: "must be …". */
  readonly expected: string;
}

export type ReadFolder =
  | { readonly tag: 'session'; readonly session: MovedSession }
  | { readonly tag: 'problems'; readonly problems: readonly FolderProblem[] };

/** `files`: name → text. Files that are none of the folder's are a problem, too: nothing is left behind unnoticed. */
export function readBaileysFolder(files: Readonly<Record<string, string>>): ReadFolder {
  const problems: FolderProblem[] = [];
  const keys: { type: string; id: string; value: Uint8Array }[] = [];
  for (const [file, text] of Object.entries(files)) {
    if (file === credsFile) continue;
    const name = keyOf(file);
    const value = jsonOf(text);
    if (name === null) problems.push({ file, expected: `a name such as pre-key-1.json` });
    else if (value === undefined) problems.push({ file, expected: 'whole JSON' });
    else if (!isPlausible(name.type, value)) problems.push({ file, expected: `the value of a ${name.type}` });
    else keys.push({ ...name, value: serialize(value) });
  }
  const creds = jsonOf(files[credsFile] ?? '');
  const objection = objectionToCreds(files[credsFile], creds);
  if (objection !== null) problems.unshift({ file: credsFile, expected: objection });
  if (problems.length > 0 || !isRecord(creds)) return { tag: 'problems', problems };
  const account = isRecord(creds['account']) ? withBytes(creds['account']) : null;
  return {
    tag: 'session',
    session: {
      name: null,
      sandbox: false,
      memoryCapMb: null,
      isolated: null,
      pacing: null,
      device: null,
      linkedAt: null,
      creds: serialize({ ...creds, account }),
      keys,
      openedChats: [],
      sent: [],
    },
  };
}

function keyOf(file: string): { readonly type: string; readonly id: string } | null {
  const type = keyTypes.find((each) => file.startsWith(`${each}-`));
  if (type === undefined || !file.endsWith('.json')) return null;
  const escaped = file.slice(type.length + 1, -'.json'.length);
  if (escaped === '') return null;
  return { type, id: unescaped(type, escaped) };
}

/**
 * Base64 has neither `_` nor `-`, so that `__` was `/`. Names of sender keys are `group::user::device`; old groups have
 * a single dash of their own. Other ids hold neither character, or hold dashes as they are.
 */
function unescaped(type: (typeof keyTypes)[number], id: string): string {
  switch (type) {
    case 'app-state-sync-key':
      return id.replaceAll('__', '/');
    case 'sender-key':
      return id.replaceAll('--', '::');
    default:
      return id;
  }
}

function objectionToCreds(text: string | undefined, creds: unknown): string | null {
  if (text === undefined) return 'there';
  if (!isRecord(creds)) return 'whole JSON with the credentials';
  const isPair = (value: unknown): boolean =>
    isRecord(value) && isKey(value['public'], 32, 33) && isKey(value['private'], 32, 32);
  for (const name of ['noiseKey', 'signedIdentityKey']) {
    if (!isPair(creds[name])) return `credentials with a key pair ${name}`;
  }
  const signed = creds['signedPreKey'];
  if (!isRecord(signed) || !isPair(signed['keyPair'])) return 'credentials with a signedPreKey';
  if (typeof creds['registrationId'] !== 'number') return 'credentials with a registrationId';
  if (typeof creds['advSecretKey'] !== 'string') return 'credentials with an advSecretKey';
  const { me } = creds;
  if (!isRecord(me) || typeof me['id'] !== 'string' || !isRecord(creds['account'])) {
    return 'credentials of an account that is paired: these have no "me" and "account"';
  }
  return null;
}

const isKey = (value: unknown, ...lengths: readonly number[]): boolean =>
  value instanceof Uint8Array && lengths.includes(value.length);

function isPlausible(type: string, value: unknown): boolean {
  switch (type) {
    case 'pre-key':
      return isRecord(value) && isKey(value['public'], 32, 33) && isKey(value['private'], 32);
    case 'lid-mapping':
      return typeof value === 'string';
    case 'device-list':
      return Array.isArray(value);
    default:
      return typeof value === 'object' && value !== null;
  }
}

/** The library's messages write their bytes as plain base64, and take that for bytes only where they encode it. */
function withBytes(account: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(account).map(([name, value]) => [
      name,
      typeof value === 'string' && byteFields.has(name) ? Buffer.from(value, 'base64') : value,
    ]),
  );
}

const byteFields = new Set(['details', 'accountSignatureKey', 'accountSignature', 'deviceSignature']);

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text, revived);
  } catch {
    return undefined;
  }
}

/** As the library reads it: also bytes that some wrote as an object of numbers. */
function revived(_name: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  if (value['type'] === 'Buffer' && typeof value['data'] === 'string') return Buffer.from(value['data'], 'base64');
  if (value['type'] === 'Buffer' && Array.isArray(value['data'])) return Buffer.from(value['data'].map(Number));
  const entries = Object.entries(value);
  const isBytes = entries.length > 0 && entries.every(([key, each]) => /^\d+$/.test(key) && typeof each === 'number');
  return isBytes ? Buffer.from(entries.map(([, each]) => Number(each))) : value;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
