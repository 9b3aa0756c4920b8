/** The gateway's own secrets: taken from the configuration, or generated once and kept in the storage folder. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import type { Clock } from './clock.ts';

export interface Secrets {
  /** Signs tokens with HS256. */
  readonly jwtSecret: string;
  /** As configured, or a JWT `{sub: "superadmin", role: "superadmin", iat, exp}`. */
  readonly superadminToken: string;
  /** Whether the token was generated just now: the one moment in which it is shown. */
  readonly isNewToken: boolean;
}

const tokenLifetimeSeconds = 10 * 365 * 86_400;
/** A kept token is replaced this long before it expires. */
const renewalSeconds = 30 * 86_400;

/**
 * Reads or generates the secrets; files are readable by their owner only. A kept token that the present JWT secret did
 * not sign, or that is about to expire, is replaced. Throws when the folder cannot be written.
 */
export async function loadSecrets(
  config: {
    readonly storagePath: string;
    readonly jwtSecret: string | null;
    readonly superadminToken: string | null;
  },
  clock: Clock,
): Promise<Secrets> {
  const folder = join(config.storagePath, 'secrets');
  const jwtSecret = config.jwtSecret ?? (await keptSecret(folder));
  if (config.superadminToken !== null) {
    return { jwtSecret, superadminToken: config.superadminToken, isNewToken: false };
  }
  const path = join(folder, 'superadmin-token');
  const now = Math.floor(clock.now() / 1_000);
  const kept = await readSecret(path);
  if (kept !== null && isValidToken(kept, jwtSecret, now + renewalSeconds)) {
    return { jwtSecret, superadminToken: kept, isNewToken: false };
  }
  const claims = { sub: 'superadmin', role: 'superadmin', iat: now, exp: now + tokenLifetimeSeconds };
  const superadminToken = jwt.sign(claims, jwtSecret, { algorithm: 'HS256' });
  await writeSecret(folder, path, superadminToken);
  return { jwtSecret, superadminToken, isNewToken: true };
}

async function keptSecret(folder: string): Promise<string> {
  const path = join(folder, 'jwt-secret');
  const kept = await readSecret(path);
  if (kept !== null) return kept;
  const secret = randomBytes(48).toString('base64url');
  await writeSecret(folder, path, secret);
  return secret;
}

function isValidToken(token: string, jwtSecret: string, atUnixSeconds: number): boolean {
  try {
    jwt.verify(token, jwtSecret, { algorithms: ['HS256'], clockTimestamp: atUnixSeconds });
    return true;
  } catch {
    return false;
  }
}

/** Null when there is no such file, or an empty one. */
export async function readSecret(path: string): Promise<string | null> {
  try {
    const secret = (await readFile(path, 'utf8')).trim();
    return secret === '' ? null : secret;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Complete or not at all: a crash in between must not leave half a secret. */
export async function writeSecret(folder: string, path: string, secret: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const partial = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(partial, 'wx', 0o600);
  try {
    await file.writeFile(`${secret}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}
