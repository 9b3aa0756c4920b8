/** Bytes of a test's own over a socket of its own, and all that comes back: for clients that keep no rule of HTTP. */
import { connect } from 'node:net';

export interface RawOptions {
  /** Ends our side after the bytes. A server that has not answered by then takes it that nobody wants to know. */
  readonly isEnded?: boolean;
  /** Waits so long for the server to close, milliseconds. */
  readonly patienceMs?: number;
}

export interface RawAnswer {
  readonly text: string;
  /** Status codes of the answers on this connection, in order. */
  readonly statuses: readonly number[];
  /** Whether the server has closed the connection; it has had its time otherwise. */
  readonly isClosed: boolean;
}

/** Never rejects: a connection that is reset is one way to refuse. */
export function rawExchange(port: number, bytes: string | Buffer, options: RawOptions = {}): Promise<RawAnswer> {
  const { isEnded = false, patienceMs = 15_000 } = options;
  return new Promise((resolve) => {
    let text = '';
    const finish = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, status]) => Number(status));
      resolve({ text, statuses, isClosed });
    };
    const timer = setTimeout(() => finish(false), patienceMs);
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      if (isEnded) socket.end(bytes);
      else socket.write(bytes);
    });
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    socket.on('end', () => finish(true));
    socket.on('close', () => finish(true));
  });
}
