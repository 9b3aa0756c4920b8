/** A real HTTP server that receives webhooks and answers as a test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The raw body, as signatures need it. */
  readonly body: string;
  readonly json: unknown;
  /** When its head had come, in milliseconds on a clock that never jumps. */
  readonly at: number;
}

/** Answers one request; nothing returned or awaited means 200. */
export type Answerer = (response: ServerResponse, request: ReceivedRequest) => void | Promise<void>;

export interface HttpReceiver {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** How requests are answered from now on. */
  answer: Answerer;
  close(): Promise<void>;
}

export const answerWith =
  (status: number, headers: Readonly<Record<string, string>> = {}): Answerer =>
  (response) => {
    response.writeHead(status, headers).end();
  };

/** On any free port, unless one is given. */
export async function startHttpReceiver(port = 0): Promise<HttpReceiver> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((incoming, response) => void receive(incoming, response));
  const receiver = {
    requests,
    answer: answerWith(200),
    url: '',
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    const body = await text(incoming);
    const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: Object.fromEntries(headers),
      body,
      json: JSON.parse(body),
      at,
    };
    requests.push(request);
    await receiver.answer(response, request);
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${portOf(server.address())}/hook`;
  return receiver;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server is not listening');
  return address.port;
}
