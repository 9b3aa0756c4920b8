/** A plain Baileys program as its documentation has it: keys in files, and no more than it takes to stay connected. */
import { makeWASocket, useMultiFileAuthState, WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { trusted } from '../src/contract/trusted.ts';

interface Request {
  readonly url: string;
  readonly rootKeyHex: string;
  readonly folders: readonly string[];
}

// libsignal writes whole sessions, private keys included, to the console.
for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) console[name] = () => undefined;
process.on('disconnect', () => process.exit(0));

// baseline.ts wrote it.
const { url, rootKeyHex, folders } = trusted<Request>(JSON.parse(process.argv[2] ?? ''));
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKeyHex, 'hex');
const logger = pino({ level: 'silent' });
await Promise.all(folders.map(connect));
process.send?.('open');

async function connect(folder: string): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  const opened = Promise.withResolvers<null>();
  const socket = makeWASocket({ auth: state, logger, waWebSocketUrl: url });
  socket.ev.on('creds.update', () => void saveCreds());
  socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'open') opened.resolve(null);
    if (connection === 'close') opened.reject(lastDisconnect?.error ?? new Error('closed'));
  });
  await opened.promise;
}
