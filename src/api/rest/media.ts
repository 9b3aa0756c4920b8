/** Media: uploaded to WhatsApp to be sent later, and the files of messages. */
import { ulid } from 'ulid';
import { WardenError } from '../../contract/errors.ts';
import type { Result } from '../../contract/index.ts';
import type { PreparedMedia } from '../../contract/ipc.ts';
import type { Operation } from '../../contract/operation.ts';
import type { MediaRequest, UploadedFile } from '../../media/prepare-media.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { unixSecondsOf } from '../presenters/session.ts';
import { FileAnswer } from './file-answer.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { invalidRequest } from './validation.ts';

type MediaOperationName = 'uploadMedia' | 'downloadMedia' | 'getMessageMedia';

/** WhatsApp keeps files for two weeks at least. */
const uploadLifetimeMs = 14 * 24 * 3_600_000;

/** The fields of params that say where media comes from; operations without media have none. */
interface MediaParams {
  readonly url?: string | undefined;
  readonly base64?: string | undefined;
  readonly media_id?: string | undefined;
  readonly mimetype?: string | undefined;
  readonly filename?: string | undefined;
  readonly ptt?: boolean | undefined;
}

interface Sent {
  readonly operation: Operation;
  readonly params: object;
  readonly row: SessionRow;
  readonly upload: UploadedFile | null;
  /** When it is to be sent, unless that is now; unix milliseconds. */
  readonly dueAt: number | null;
}

/** The media of a send, ready and held in the spool; null for operations without. Throws what `prepare` throws. */
export async function prepareSent(
  { media, store }: Pick<ApiDependencies, 'media' | 'store'>,
  { operation, params, row, upload, dueAt }: Sent,
  signal: AbortSignal,
): Promise<PreparedMedia | null> {
  const kind = operation.media;
  if (kind === undefined) return null;
  const request = mediaRequest({ ...params }, { row, upload });
  const prepared = await media.preparer.prepare(
    { ...request, kind: kind === 'any' ? null : kind, takesMediaId: true },
    signal,
  );
  const { mediaId } = request;
  const isGoneThen =
    dueAt !== null && mediaId !== undefined && (await store.media.getUploaded(mediaId, row.sandbox, dueAt)) === null;
  if (!isGoneThen) return prepared;
  throw invalidRequest([{ field: 'media_id', expected: 'media that has not expired at send_at', received: mediaId }]);
}

function mediaRequest(
  params: MediaParams,
  { row, upload }: { readonly row: SessionRow; readonly upload: UploadedFile | null },
): Omit<MediaRequest, 'kind' | 'takesMediaId'> {
  const { url, base64, media_id: mediaId, mimetype, filename: fileName, ptt = false } = params;
  return { url, base64, mediaId, mimetype, fileName, upload, isVoiceNote: ptt, isSandbox: row.sandbox };
}

export function mediaHandlers(dependencies: ApiDependencies): Handlers<MediaOperationName> {
  const { store, supervisor, media, clock } = dependencies;

  const file = async (row: SessionRow, messageId: string, signal: AbortSignal): Promise<FileAnswer> => {
    const location = await store.media.location(row.id, messageId);
    if (location === 'unknown') throw new WardenError('message_not_found');
    if (location === null) throw new WardenError('media_not_found');
    const opened = await media.received.open({
      session: row.id,
      messageId,
      location,
      target: await supervisor.targetOf(row),
      renew: async () => {
        const { directPath } = await supervisor.renewMedia(row.id, messageId);
        const moved = { ...location, directPath };
        await store.media.moved(row.id, messageId, moved);
        return moved;
      },
    });
    if (signal.aborted) {
      await opened.file.close();
      throw new WardenError('whatsapp_timeout');
    }
    return new FileAnswer({ ...opened, mimetype: location.mimetype, fileName: location.fileName ?? messageId });
  };

  return {
    uploadMedia: async (call): Promise<Result<'uploadMedia'>> => {
      const row = sessionOf(call);
      // A session that cannot upload now refuses before anything is fetched.
      await supervisor.assertSendable(row.id);
      const request = mediaRequest(call.params, { row, upload: call.upload });
      const kind = call.params.media_type ?? null;
      const prepared = await media.preparer.prepare({ ...request, kind, takesMediaId: false }, call.signal);
      try {
        const { content, location } = await supervisor.uploadMedia(row.id, prepared);
        const id = `med_${ulid()}`;
        const expiresAt = clock.now() + uploadLifetimeMs;
        const kept: PreparedMedia = { ...prepared, source: { tag: 'uploaded', content } };
        await store.media.keepUploaded({ id, sandbox: row.sandbox, prepared: kept, expiresAt });
        return {
          media_id: id,
          url: location.url ?? '',
          direct_path: location.directPath ?? '',
          media_key: base64(location.mediaKey),
          file_sha256: base64(location.fileSha256),
          file_enc_sha256: base64(location.fileEncSha256),
          file_length: location.fileLength ?? prepared.bytes,
          media_type: prepared.kind,
          mimetype: prepared.mimetype,
          expires_at: unixSecondsOf(expiresAt),
        };
      } finally {
        if (prepared.source.tag === 'file') await media.spool.release(prepared.source.path);
      }
    },
    downloadMedia: async (call) => file(sessionOf(call), call.params.message_id, call.signal),
    getMessageMedia: async (call) => file(sessionOf(call), call.params.message_id, call.signal),
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
