/** A lock on a folder that dies with the process that holds it, so that it can never be stale. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** Answers the way to release it; throws an error that names the holder when somebody has it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const name = `warden-${createHash('sha256').update(folder).digest('hex').slice(0, 24)}`;
  // Sockets of the abstract namespace exist on Linux only; elsewhere a file remains that the next holder replaces.
  const address = process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
  // A holder that was killed a moment ago may still be on its way out: only one that answers is alive for certain.
  for (let attempt = 1; ; attempt += 1) {
    const server = await tryListen(address);
    if (server !== null) return () => new Promise((resolve) => server.close(() => resolve()));
    const holder = await holderOf(address);
    if (holder !== null || attempt === 30) {
      throw new Error(
        `another gateway (process ${holder ?? 'unknown'}) uses the database in ${folder}: ` +
          'stop it, choose another WHATSAPP_STORAGE_PATH, or give both the same DATABASE_URL',
      );
    }
    if (process.platform !== 'linux') await rm(address, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function tryListen(address: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(String(process.pid));
    });
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}

/** The process id that the holder tells, or null when none answers. */
async function holderOf(address: string): Promise<string | null> {
  const socket = connect(address);
  socket.setTimeout(2_000, () => socket.destroy(new Error('the holder of the lock does not answer')));
  try {
    const told = await text(socket);
    return told === '' ? null : told;
  } catch {
    return null;
  }
}
