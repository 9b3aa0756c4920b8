/** Makes media ready to be sent: from a URL, base64, an upload or an earlier upload, to a described file in the spool. */
import { open } from 'node:fs/promises';
import { WardenError } from '../contract/errors.ts';
import type { PreparedMedia } from '../contract/ipc.ts';
import { base64Source } from './base64-source.ts';
import { describeMedia, unfit, type DescribeTools } from './describe-media.ts';
import { fetchMedia, type FetchSettings } from './fetch-media.ts';
import { contradicts, essenceOf, kindOf, safeFileName, type MediaKind } from './media-kinds.ts';
import { headBytes, sniff } from './sniff.ts';
import { tooLarge } from './spool-sink.ts';
import type { SpooledFile } from './spool.ts';

export interface PrepareOptions extends DescribeTools {
  readonly fetching: FetchSettings;
  readonly maxBytes: Readonly<Record<MediaKind, number>>;
  readonly fetchTimeoutMs: number;
  /** What was uploaded before, by its id; null when there is none that may be used. */
  readonly findUploaded: (id: string, isSandbox: boolean) => Promise<PreparedMedia | null>;
}

/** A file that came with the request itself; it lies in the spool, held. */
export interface UploadedFile {
  readonly file: SpooledFile;
  readonly fileName: string | null;
  readonly declaredType: string | null;
}

export interface MediaRequest {
  /** Null takes the kind that the content suggests. */
  readonly kind: MediaKind | null;
  readonly url?: string | undefined;
  readonly base64?: string | undefined;
  readonly mediaId?: string | undefined;
  readonly upload: UploadedFile | null;
  readonly mimetype?: string | undefined;
  readonly fileName?: string | undefined;
  readonly isVoiceNote: boolean;
  readonly isSandbox: boolean;
  /** Whether `media_id` is one of the ways. */
  readonly takesMediaId: boolean;
}

interface Spooled {
  readonly file: SpooledFile;
  readonly declaredType: string | null;
  readonly fileName: string | null;
}

export interface MediaPreparer {
  /**
   * The file of the answer is held in the spool until it is released or handed over; that of a request that fails is
   * gone. Throws `invalid_request` unless there is exactly one source, `media_not_found`, `media_too_large`,
   * `media_type_not_supported`, `media_unreachable`, `converter_missing`, `storage_full`.
   */
  prepare(request: MediaRequest, signal: AbortSignal): Promise<PreparedMedia>;
  /** The most that a request may bring along for this kind. */
  capOf(kind: MediaKind | null): number;
}

export function createMediaPreparer(options: PrepareOptions): MediaPreparer {
  const { spool, maxBytes } = options;
  const capOf = (kind: MediaKind | null): number =>
    kind === null ? Math.max(...Object.values(maxBytes)) : maxBytes[kind];
  const describe = async (
    request: MediaRequest,
    { file, declaredType, fileName }: Spooled,
    signal: AbortSignal,
  ): Promise<PreparedMedia> => {
    const type = sniff(await headOf(file.path));
    const kind = request.kind ?? kindOf(type === null ? null : essenceOf(type));
    if (file.bytes === 0) throw unfit(kind, 'an empty file');
    if (file.bytes > capOf(kind)) throw tooLarge(capOf(kind));
    // What a server calls its files is a hint; what the caller says is a claim.
    if (contradicts(request.mimetype ?? null, type)) throw mismatch(request.mimetype ?? '', type);
    const media = {
      file,
      kind,
      type,
      declaredType: request.mimetype ?? declaredType,
      fileName: safeFileName(request.fileName) ?? fileName,
      isVoiceNote: request.isVoiceNote,
    };
    return describeMedia(options, media, signal);
  };

  return {
    capOf,
    prepare: async (request, signal) => {
      const held = request.upload === null ? [] : [request.upload.file.path];
      try {
        requireOneSource(request);
        if (request.mediaId !== undefined) return await uploadedBefore(options, request, request.mediaId);
        const spooled = await intoSpool(options, request, signal);
        held.push(spooled.file.path);
        return await describe(request, spooled, signal);
      } catch (error) {
        for (const path of held) await spool.release(path);
        throw error;
      }
    },
  };
}

function requireOneSource(request: MediaRequest): void {
  const { url, base64, mediaId, upload, takesMediaId } = request;
  const given = [
    ...(url === undefined ? [] : ['url']),
    ...(base64 === undefined ? [] : ['base64']),
    ...(mediaId === undefined ? [] : ['media_id']),
    ...(upload === null ? [] : ['file']),
  ];
  if (given.length === 1) return;
  const ways = `url, base64${takesMediaId ? ', media_id' : ''} or a multipart file`;
  const fields = given.length === 0 ? ['url'] : given;
  throw new WardenError('invalid_request', {
    message: `Media comes from exactly one of ${ways}.`,
    details: fields.map((field) => ({
      field,
      expected: `exactly one of ${ways}`,
      received: given.length === 0 ? 'none' : given.join(' and '),
    })),
  });
}

async function intoSpool(
  { spool, fetching, fetchTimeoutMs, maxBytes }: PrepareOptions,
  { kind, url, base64, upload }: MediaRequest,
  signal: AbortSignal,
): Promise<Spooled> {
  if (upload !== null) return upload;
  const capBytes = kind === null ? Math.max(...Object.values(maxBytes)) : maxBytes[kind];
  if (url !== undefined) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(fetchTimeoutMs)]);
    const { body, declaredType, fileName } = await fetchMedia(fetching, { url, capBytes, signal: limit });
    return { file: await spool.write(body, { capBytes, signal }), declaredType, fileName };
  }
  const { bytes, declaredType } = base64Source(base64 ?? '');
  return { file: await spool.write(bytes, { capBytes, signal }), declaredType, fileName: null };
}

async function uploadedBefore(
  { findUploaded }: PrepareOptions,
  { kind, isSandbox, isVoiceNote, fileName }: MediaRequest,
  id: string,
): Promise<PreparedMedia> {
  const media = await findUploaded(id, isSandbox);
  if (media === null) {
    throw new WardenError('media_not_found', {
      details: [
        {
          field: 'media_id',
          expected: 'an id that POST …/media/upload answered and that has not expired',
          received: id,
        },
      ],
    });
  }
  const isWrong = (kind !== null && media.kind !== kind) || (isVoiceNote && media.waveform === null);
  if (!isWrong) return { ...media, fileName: safeFileName(fileName) ?? media.fileName };
  throw new WardenError('media_type_not_supported', {
    details: [
      {
        field: 'media_id',
        expected: isVoiceNote ? 'an uploaded voice note (Ogg/Opus)' : `an uploaded ${kind ?? 'file'}`,
        received: `${media.kind}, ${media.mimetype}`,
      },
    ],
  });
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function mismatch(declared: string, found: string | null): WardenError {
  return new WardenError('media_type_not_supported', {
    details: [{ field: 'mimetype', expected: `the type of the content, ${found ?? 'unknown'}`, received: declared }],
  });
}
