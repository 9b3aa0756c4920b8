/** Stands between a gateway and its database, and lets a test take the line away, hold it still or make it slow. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createCommitGate, type CommitGate } from './commit-gate.ts';

/** `half_open`: connections that are there swallow everything without an end, new ones work. */
export type LineMode = 'open' | 'cut' | 'still' | 'slow' | 'half_open';

export interface DatabaseProxy {
  /** The database's URL with the proxy's address in it. */
  readonly url: string;
  mode: LineMode;
  /** Holds COMMITs while the mode is `open`. */
  readonly commits: CommitGate;
  close(): Promise<void>;
}

const slowMs = 5500;

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const socketFolder = target.searchParams.get('host');
  const pairs = new Set<readonly [Socket, Socket]>();
  const swallowed = new WeakSet<readonly [Socket, Socket]>();
  const commits = createCommitGate();
  let mode: LineMode = 'open';
  const server = createServer((client) => {
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    const port = Number(target.port || 5432);
    const upstream =
      socketFolder === null ? connect(port, target.hostname) : connect(`${socketFolder}/.s.PGSQL.${port}`);
    const pair = [client, upstream] as const;
    const line = { toServer: upstream, toClient: client };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      commits.forget(line);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk: Buffer) => {
      if (mode === 'still' || swallowed.has(pair)) return;
      if (!commits.fromClient(line, chunk)) upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (mode === 'still' || swallowed.has(pair) || commits.fromServer(line, chunk)) return;
      if (mode === 'slow') setTimeout(() => client.write(chunk), slowMs).unref();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  url.port = String(portOf(server.address()));
  const cutAll = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    url: url.href,
    commits,
    get mode() {
      return mode;
    },
    set mode(next: LineMode) {
      // What was swallowed on a line that was still is lost: such a line must not go on.
      if (next === 'cut' || mode === 'still') cutAll();
      if (next === 'half_open') for (const pair of pairs) swallowed.add(pair);
      mode = next;
    },
    close: async () => {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy is not listening');
  return address.port;
}
