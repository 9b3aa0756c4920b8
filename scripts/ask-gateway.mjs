// What commands share that talk to the running gateway: its address, the superadmin token, and errors in words.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../dist/src/config.js';

const config = loadConfig();
const address = `http://${config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host}:${config.port}`;

/** Posts to the API and answers the response of a success; throws an error in words otherwise. */
export async function post(path, body = {}) {
  const token =
    config.superadminToken ?? readFileSync(join(config.storagePath, 'secrets', 'superadmin-token'), 'utf8').trim();
  const answer = await fetch(`${address}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new Refusal(error ?? { message: `the gateway answered ${answer.status}` });
}

/** The gateway answered, and said no. */
class Refusal extends Error {
  constructor({ message, details = [] }) {
    super([message, ...details.map(({ field, expected }) => `  ${field}: must be ${expected}`)].join('\n'));
  }
}

/** Ends the command with what went wrong. */
export function fail(what, error) {
  const reason = error instanceof Error ? (error.cause?.message ?? error.message) : String(error);
  const hint =
    error instanceof Refusal || error instanceof UsageError
      ? ''
      : ` Is the gateway running at ${address}, with the settings of this folder?`;
  console.error(`${what}: ${reason}${hint}`);
  process.exit(1);
}

/** The command was called in a way that says nothing. */
export class UsageError extends Error {}

/** The passphrase of SESSION_PASSPHRASE, else as typed; never an argument, which other users of the machine can read. */
export async function readPassphrase() {
  const given = process.env.SESSION_PASSPHRASE;
  if (given) return given;
  if (!process.stdin.isTTY) throw new UsageError('set SESSION_PASSPHRASE, or run this on a terminal');
  process.stderr.write('Passphrase (at least 12 characters): ');
  process.stdin.setRawMode(true).setEncoding('utf8').resume();
  let typed = '';
  try {
    for await (const chunk of process.stdin) {
      for (const character of chunk) {
        if (character === '\r' || character === '\n') return typed;
        if (character === '\u0003') throw new UsageError('cancelled');
        typed = character === '\u007f' ? typed.slice(0, -1) : typed + character;
      }
    }
    return typed;
  } finally {
    process.stdin.setRawMode(false).pause();
    process.stderr.write('\n');
  }
}
