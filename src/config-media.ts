/** The part of the configuration table that is about media. */
import { isAbsolute } from 'node:path';
import { durationMs, integer, text, ValueProblem, type Variable } from './config-variables.ts';

// oxlint-disable-next-line max-params -- one line of the table
const megabytes = (name: string, fallback: string, sentence: string): Variable<number> =>
  integer({ name, fallback, min: 1, max: 1_048_576, unit: 'megabytes', sentence });

export const mediaVariables = {
  mediaBodyLimitBytes: integer({
    name: 'MEDIA_BODY_LIMIT_BYTES',
    fallback: '25165824',
    min: 1_024,
    max: 134_217_728,
    unit: 'bytes',
    sentence:
      'Largest JSON body with a file as base64; multipart bodies are not held in memory and have no such limit.',
  }),
  mediaMaxImageMb: megabytes('MEDIA_MAX_IMAGE_MB', '16', 'Largest image, and largest source of a sticker.'),
  mediaMaxVideoMb: megabytes('MEDIA_MAX_VIDEO_MB', '64', 'Largest video.'),
  mediaMaxAudioMb: megabytes('MEDIA_MAX_AUDIO_MB', '16', 'Largest audio file.'),
  mediaMaxDocumentMb: megabytes('MEDIA_MAX_DOCUMENT_MB', '100', 'Largest document.'),
  spoolQuotaMb: megabytes('SPOOL_QUOTA_MB', '2048', 'Disk space for files on their way to WhatsApp.'),
  mediaCacheMb: megabytes('MEDIA_CACHE_MB', '1024', 'Disk space for received files that were asked for lately.'),
  mediaFetchTimeoutMs: durationMs({
    name: 'MEDIA_FETCH_TIMEOUT_MS',
    fallback: '60000',
    sentence: 'How long fetching a file from a URL of a request may take.',
  }),
  mediaUploadTimeoutMs: durationMs({
    name: 'MEDIA_UPLOAD_TIMEOUT_MS',
    fallback: '120000',
    sentence: 'How long the upload of a file to WhatsApp may take.',
  }),
  mediaDownloadTimeoutMs: durationMs({
    name: 'MEDIA_DOWNLOAD_TIMEOUT_MS',
    fallback: '120000',
    sentence: 'How long the download of a received file from WhatsApp may take.',
  }),
  ffmpegPath: text({
    name: 'FFMPEG_PATH',
    check: requirePath,
    sentence: 'Where ffmpeg is; absent searches the usual folders, "none" goes without.',
  }),
} as const;

function requirePath(path: string): void {
  if (path.toLowerCase() !== 'none' && !isAbsolute(path)) throw new ValueProblem('must be an absolute path, or "none"');
}
