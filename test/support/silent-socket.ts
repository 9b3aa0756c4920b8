/** A WebSocket server that lets everybody in and says nothing: for whoever only asks whether somebody is there. */
import { once } from 'node:events';
import { WebSocketServer } from 'ws';

export interface SilentSocket {
  readonly url: string;
  close(): Promise<void>;
}

export async function startSilentSocket(): Promise<SilentSocket> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server is not listening');
  return {
    url: `ws://127.0.0.1:${address.port}/ws/chat`,
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
}
