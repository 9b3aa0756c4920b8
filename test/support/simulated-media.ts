/** Media in tests against the simulator: trust in its media host, and files with known contents. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { downloadMediaMessage, type WAMessage, type WASocket } from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { eventually } from './eventually.ts';
import type { SimulatedAccount } from './simulated-account.ts';
import type { SimulatorProcess } from './simulator.ts';

/** Makes this process trust the simulator's media host, as a sandbox child does by NODE_EXTRA_CA_CERTS. */
export function trustMediaOf(simulator: SimulatorProcess): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(simulator.mediaCaPath, 'utf8')]);
}

export interface TestFile {
  readonly bytes: Buffer;
  /** Hex. */
  readonly sha256: string;
}

/** Unpredictable contents: what matters is that they arrive unchanged. */
export function testFile(length: number): TestFile {
  const bytes = randomBytes(length);
  return { bytes, sha256: sha256Hex(bytes) };
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What Baileys makes of a message's media. Rejects with a Boom when the host refuses. */
export async function download(socket: WASocket, message: WAMessage): Promise<Buffer> {
  return downloadMediaMessage(
    message,
    'buffer',
    {},
    { logger: pino({ level: 'silent' }), reuploadRequest: socket.updateMediaMessage },
  );
}

/** Waits until a session has read the message with this id. */
export function receivedBy(account: SimulatedAccount, id: string): Promise<WAMessage> {
  return eventually(
    () =>
      account.client.messages.find(({ key, message }) => key.id === id && message !== null && message !== undefined),
    undefined,
    () => account.client.messages,
  );
}
