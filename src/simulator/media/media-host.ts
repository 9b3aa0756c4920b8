/**
 * WhatsApp's media host: takes encrypted files from sessions and gives them out again, over TLS, in constant memory.
 * It knows who uploads; who downloads it cannot know, so that faults of an account meet the files that the account
 * uploaded and those that were written to it.
 */
import { createReadStream } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { logger } from '../../log.ts';
import type { FaultBook } from '../faults.ts';
import type { Directory, Records, User } from '../types.ts';
import { parseRange } from './byte-range.ts';
import { corrupted, cutShort } from './faulty-streams.ts';
import type { MediaDepot } from './media-depot.ts';
import type { MediaPath } from './media-paths.ts';
import type { MediaTrust } from './trust.ts';

export interface MediaHostParts {
  readonly depot: MediaDepot;
  readonly faults: FaultBook;
  readonly directory: Directory;
  readonly records: Records;
  readonly trust: MediaTrust;
}

const log = logger('simulator.media');
const uploadPath = /^\/(?:mms\/[a-z-]+|product\/image|pps\/biz-cover-photo)\/([A-Za-z0-9_-]{43})$/;
/** WhatsApp's own limit for documents, and what encryption adds. */
const maxUploadBytes = 2 * 1024 ** 3 + 1024;
const sha256Bytes = 32;

export class MediaHost {
  readonly #parts: MediaHostParts;
  readonly #https: Server;
  readonly #lifetime = new AbortController();

  constructor(parts: MediaHostParts) {
    this.#parts = parts;
    const { serverChainPem, serverKeyPem } = parts.trust;
    this.#https = createServer({ cert: serverChainPem, key: serverKeyPem, requestTimeout: 0 }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#https.on('tlsClientError', (error) => log.debug({ err: error }, 'tls handshake failed'));
  }

  /**
   * Listens; with port 0 on the port of the last time when it is free, since messages name it in their URLs. Answers
   * the port.
   */
  async listen(host: string, port: number): Promise<number> {
    const last = this.#parts.records.get('media-port', 'last');
    const wanted = port === 0 && last !== undefined ? Number(Buffer.from(last).toString('utf8')) : port;
    const listening = await this.#tryListen(host, wanted).catch((error: unknown) => {
      if (port !== 0 || wanted === 0) throw error;
      return this.#tryListen(host, 0);
    });
    this.#parts.records.put('media-port', 'last', Buffer.from(String(listening)));
    this.#parts.depot.host = `${host.includes(':') ? `[${host}]` : host}:${listening}`;
    return listening;
  }

  async close(): Promise<void> {
    this.#lifetime.abort();
    this.#https.closeAllConnections();
    await new Promise((resolve) => this.#https.close(resolve));
  }

  async #tryListen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#https.once('error', reject);
    this.#https.listen(port, host, resolve);
    await promise.finally(() => this.#https.removeListener('error', reject));
    const address = this.#https.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'https://media');
      if (request.method === 'POST') await this.#takeUpload(request, response, url);
      else if (request.method === 'GET' || request.method === 'HEAD') await this.#giveFile(request, response, url);
      else answer(response, 405, { error: 'method not allowed' });
    } catch (error) {
      log.debug({ err: error }, 'media request broke off');
      response.destroy();
    }
  }

  async #takeUpload(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { depot, faults } = this.#parts;
    const companion = depot.companionBy(url.searchParams.get('auth') ?? '');
    const account = companion?.user ?? null;
    if (await this.#strike(account, response)) return;
    const token = uploadPath.exec(url.pathname)?.[1];
    if (token === undefined) return answer(response, 404, { error: 'no such upload path' });
    if (account === null) return answer(response, 401, { error: 'invalid auth' });
    if (url.searchParams.get('token') !== token) return answer(response, 400, { error: 'the tokens differ' });
    const hash = Buffer.from(token, 'base64url');
    if (hash.length !== sha256Bytes) return answer(response, 400, { error: 'invalid token' });
    const bytes = Number(request.headers['content-length'] ?? 0);
    if (bytes > maxUploadBytes) return answer(response, 413, { error: 'too large' });
    const body = faults.takeMediaFault(account, 'media_cut') === null ? request : cutShort(request, bytes / 2);
    const blob = await depot.blobs.add(body, { owner: account.lid, expected: hash.toString('hex') });
    if (blob === null) return answer(response, 400, { error: 'the body is not what the token says' });
    const directPath = depot.paths.issue(blob.token, { isRenewed: false });
    answer(response, 200, { url: depot.urlOf(directPath), direct_path: directPath, handle: token });
  }

  async #giveFile(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { depot, faults } = this.#parts;
    const path = depot.paths.find(url.pathname);
    const blob = path === null ? undefined : depot.blobs.find(path.token);
    const account = blob === undefined ? null : (this.#parts.directory.byLid(blob.owner) ?? null);
    if (await this.#strike(account, response)) return;
    if (path === null || blob === undefined) return answer(response, 404, { error: 'not found' });
    if (depot.paths.isExpired(path)) return answer(response, 410, { error: 'gone' });
    const gone = this.#goneCode(path, account);
    if (gone !== null) return answer(response, gone, { error: 'gone' });
    const range = parseRange(request.headers.range, blob.bytes);
    if (range === 'unsatisfiable') {
      response.setHeader('content-range', `bytes */${blob.bytes}`);
      return answer(response, 416, { error: 'range not satisfiable' });
    }
    const { start, end } = range === 'whole' ? { start: 0, end: blob.bytes - 1 } : range;
    response.writeHead(range === 'whole' ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': String(end - start + 1),
      'accept-ranges': 'bytes',
      ...(range === 'whole' ? {} : { 'content-range': `bytes ${start}-${end}/${blob.bytes}` }),
    });
    if (request.method === 'HEAD') return void response.end();
    const file = createReadStream(depot.blobs.pathOf(blob), { start, end });
    const source = faults.takeMediaFault(account, 'media_corrupt') === null ? file : Readable.from(corrupted(file));
    const isCut = faults.takeMediaFault(account, 'media_cut') !== null;
    await pipeline(isCut ? cutShort(source, (end - start + 1) / 2) : source, response, {
      signal: this.#lifetime.signal,
    });
  }

  /** Files that a phone has uploaded again are there. */
  #goneCode(path: MediaPath, account: User | null): number | null {
    const fault = path.isRenewed ? null : this.#parts.faults.takeMediaFault(account, 'media_gone');
    return fault === null ? null : (fault.code ?? 410);
  }

  /** Slowness, then the failure of the whole host; true when the request is done with. */
  async #strike(account: User | null, response: ServerResponse): Promise<boolean> {
    const { faults } = this.#parts;
    const slow = faults.takeMediaFault(account, 'media_slow');
    if (slow !== null) await delay(slow.delayMs, undefined, { signal: this.#lifetime.signal });
    const down = faults.takeMediaFault(account, 'media_down');
    if (down === null) return false;
    if (down.code === null) response.destroy();
    else answer(response, down.code, { error: 'unavailable' });
    return true;
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  // What is left of an upload that nobody wants is read away, or the client would not read the answer.
  response.req.resume();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
