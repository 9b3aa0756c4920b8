/** A process of plain Baileys that does no more than stay connected, for measurements of memory. */
import { trusted } from '../src/contract/trusted.ts';
import { openPlainSocket } from './plain-socket.ts';

interface Request {
  readonly url: string;
  readonly rootKeyHex: string;
  readonly folders: readonly string[];
}

process.on('disconnect', () => process.exit(0));

// baseline.ts wrote it.
const { url, rootKeyHex, folders } = trusted<Request>(JSON.parse(process.argv[2] ?? ''));
await Promise.all(folders.map((folder) => openPlainSocket({ url, rootKeyHex, folder, cachesKeys: false })));
process.send?.('open');
