/** Serves files out of a fixed list, read once. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { WardenError } from '../contract/errors.ts';
import type { RequestContext, RequestMiddleware } from './state.ts';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Asset {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Answers `:file` from name → path on disk; what is not in the list is not there. */
export function assets(files: Readonly<Record<string, string>>): RequestMiddleware {
  const loaded = new Map<string, Promise<Asset>>();
  return async (ctx) => {
    const name = fileOf(ctx);
    const path = Object.hasOwn(files, name) ? files[name] : undefined;
    if (path === undefined) throw new WardenError('route_not_found');
    const loading = loaded.get(name) ?? load(path);
    loaded.set(name, loading);
    const { bytes, etag } = await loading;
    ctx.set('content-type', types[extname(path)] ?? 'application/octet-stream');
    // Asked for again each time, answered in a few bytes: a page never meets scripts of another version.
    ctx.set('cache-control', 'no-cache');
    ctx.set('etag', etag);
    ctx.status = 200;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = bytes;
  };
}

async function load(path: string): Promise<Asset> {
  const bytes = await readFile(path);
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

function fileOf(ctx: RequestContext): string {
  const params: unknown = ctx['params'];
  if (typeof params !== 'object' || params === null || !('file' in params)) return '';
  return typeof params.file === 'string' ? params.file : '';
}
