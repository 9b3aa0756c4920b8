/** A file as an answer: never shown by a browser in our origin, always saved. */
import type { FileHandle } from 'node:fs/promises';
import type { RequestContext } from '../state.ts';

export class FileAnswer {
  readonly file: FileHandle | Uint8Array;
  readonly bytes: number;
  readonly mimetype: string | null;
  readonly fileName: string | null;

  constructor(parts: Pick<FileAnswer, 'file' | 'bytes' | 'mimetype' | 'fileName'>) {
    this.file = parts.file;
    this.bytes = parts.bytes;
    this.mimetype = parts.mimetype;
    this.fileName = parts.fileName;
  }
}

const type = /^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+="?[\w.+-]+"?)*$/;

/** Sends the file and closes it, also when the client goes away. */
export function answerFile(ctx: RequestContext, { file, bytes, mimetype, fileName }: FileAnswer): void {
  ctx.status = 200;
  // Takes the type from the name; the message's own comes after it.
  ctx.attachment(fileName ?? undefined);
  // What a stranger calls a file must not become a header that means something else.
  ctx.set('content-type', mimetype !== null && type.test(mimetype) ? mimetype : 'application/octet-stream');
  ctx.set('content-length', String(bytes));
  ctx.set('content-security-policy', 'sandbox');
  ctx.set('x-content-type-options', 'nosniff');
  ctx.set('cache-control', 'private, no-store');
  if (file instanceof Uint8Array) ctx.body = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  else if (ctx.method === 'HEAD') void file.close();
  else ctx.body = file.createReadStream({ autoClose: true });
}
