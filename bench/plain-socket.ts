/** A connection of plain Baileys as its documentation has it: keys in files, nothing of Warden. */
import {
  makeCacheableSignalKeyStore,
  makeWASocket,
  useMultiFileAuthState,
  WA_CERT_DETAILS,
  type WASocket,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';

export interface PlainSocketOptions {
  readonly url: string;
  readonly rootKeyHex: string;
  readonly folder: string;
  /** Keeps what was read of the keys in memory, as the library's own example does. */
  readonly cachesKeys: boolean;
}

// libsignal writes whole sessions, private keys included, to the console.
for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) console[name] = () => undefined;

/** Answers when the connection is open. */
export async function openPlainSocket({ url, rootKeyHex, folder, cachesKeys }: PlainSocketOptions): Promise<WASocket> {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKeyHex, 'hex');
  const logger = pino({ level: 'silent' });
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  const keys = cachesKeys ? makeCacheableSignalKeyStore(state.keys, logger) : state.keys;
  const opened = Promise.withResolvers<null>();
  const socket = makeWASocket({ auth: { creds: state.creds, keys }, logger, waWebSocketUrl: url });
  socket.ev.on('creds.update', () => void saveCreds());
  socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'open') opened.resolve(null);
    if (connection === 'close') opened.reject(lastDisconnect?.error ?? new Error('closed'));
  });
  await opened.promise;
  return socket;
}
