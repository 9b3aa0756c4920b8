/** Looks at ports, at a gateway that may run, and at the way to WhatsApp. */
import { once } from 'node:events';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Config } from '../config.ts';
import { reasonOf } from './examine-machine.ts';
import type { Facts, NetworkFacts, Tried } from './facts.ts';

const timeoutMs = 8_000;
const probeTimeoutMs = 3_000;
const whatsappHost = 'web.whatsapp.com';
/** Source: WhatsApp Web, whose WebSocket this is; the library has it built in. */
const whatsappSocket = `wss://${whatsappHost}/ws/chat`;
const mediaHost = 'mmg.whatsapp.net';
const httpsPort = 443;

export async function examineGateway({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Facts['gateway']> {
  const address = addressOf(host, port);
  if (port === 0) return { address: `${host}, any free port`, readiness: null, portProblem: null };
  const readiness = await readinessAt(`http://${addressOf(reachable(host), port)}`);
  return { address, readiness, portProblem: readiness === null ? await portProblem(host, port) : null };
}

export async function examineMetricsPort(
  { metricsHost: host, metricsPort: port }: Pick<Config, 'metricsHost' | 'metricsPort'>,
  isGatewayRunning: boolean,
): Promise<Facts['metricsPort']> {
  if (port === null) return null;
  return { address: addressOf(host, port), problem: isGatewayRunning ? null : await portProblem(host, port) };
}

export async function examineWhatsApp(url: string | null, now: () => number): Promise<NetworkFacts> {
  if (url !== null) {
    return { targets: [{ name: url, what: 'link', outcome: await timed(() => openSocket(url)) }], clockAheadMs: null };
  }
  const [socket, media, clockAheadMs] = await Promise.all([
    timed(() => openSocket(whatsappSocket)),
    timed(() => openTls(mediaHost)),
    clockAgainst(whatsappHost, now).catch(() => null),
  ]);
  return {
    targets: [
      { name: whatsappHost, what: 'link', outcome: socket },
      { name: mediaHost, what: 'media', outcome: media },
    ],
    clockAheadMs,
  };
}

/** What a gateway there says of itself; null when none answers. */
async function readinessAt(baseUrl: string): Promise<Facts['gateway']['readiness']> {
  const ask = async (path: string) => {
    const answer = await fetch(`${baseUrl}${path}`, {
      signal: AbortSignal.timeout(probeTimeoutMs),
      redirect: 'manual',
    });
    return { status: answer.status, text: await answer.text() };
  };
  try {
    const alive = await ask('/livez');
    if (alive.status !== 200 || alive.text.trim() !== 'ok') return null;
    const { status, text } = await ask('/readyz?verbose');
    return { isReady: status === 200, text };
  } catch {
    return null;
  }
}

async function portProblem(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return null;
  } catch (error) {
    return reasonOf(error);
  } finally {
    server.close();
  }
}

async function openSocket(url: string): Promise<void> {
  const socket = new WebSocket(url, { handshakeTimeout: timeoutMs, origin: `https://${whatsappHost}` });
  try {
    await once(socket, 'open');
  } finally {
    // A socket that is ended while it connects says so by an error.
    socket.on('error', () => undefined);
    socket.terminate();
  }
}

async function openTls(host: string): Promise<void> {
  const socket = connectTls({ host, port: httpsPort, servername: host, timeout: timeoutMs });
  socket.once('timeout', () => socket.destroy(new Error('it did not answer in time')));
  try {
    await once(socket, 'secureConnect');
  } finally {
    socket.destroy();
  }
}

/** Servers tell whole seconds: half a second is added for what they cut off. */
async function clockAgainst(host: string, now: () => number): Promise<number | null> {
  const head = request({ host, method: 'HEAD', path: '/', timeout: timeoutMs });
  head.once('timeout', () => head.destroy(new Error('it did not answer in time')));
  head.once('response', (response) => {
    response.resume();
    date.resolve(response.headers.date ?? null);
  });
  head.once('error', (error) => date.reject(error));
  const date = Promise.withResolvers<string | null>();
  head.end();
  const told = await date.promise;
  const theirs = told === null ? Number.NaN : Date.parse(told) + 500;
  return Number.isNaN(theirs) ? null : now() - theirs;
}

async function timed(work: () => Promise<void>): Promise<Tried<{ readonly tookMs: number }>> {
  const begun = performance.now();
  try {
    await work();
    return { value: { tookMs: performance.now() - begun } };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

const reachable = (host: string): string => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host);
const addressOf = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
