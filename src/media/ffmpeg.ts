/**
 * ffmpeg, where it is installed: started without a shell, on files of the spool only, with a time limit and, where
 * util-linux is there, a memory limit. Formats are recognised before, so that no playlist reaches it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';

export interface Ffmpeg {
  /** Writes a voice note: Ogg/Opus, mono, 48 kHz. Throws `media_type_not_supported` for what cannot be decoded. */
  toVoiceNote(files: { readonly from: string; readonly to: string }, signal: AbortSignal): Promise<void>;
  /** The loudness of 8000 samples a second, one value per hundredth of a second. */
  loudness(path: string, signal: AbortSignal): Promise<readonly number[]>;
  /** The first frame as a JPEG; null when there is none. */
  firstFrame(path: string, signal: AbortSignal): Promise<Uint8Array | null>;
}

const toolFolders = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin'];
const timeoutMs = 60_000;
const memoryBytes = 1024 ** 3;
const maxOutputBytes = 8 * 1024 * 1024;
const maxErrorChars = 2000;
const samplesPerValue = 80;

/** `path` null searches the usual folders; an empty text goes without. Null when there is none. */
export function findFfmpeg(path: string | null, log: Logger): Ffmpeg | null {
  const found = path ?? toolFolders.map((folder) => `${folder}/ffmpeg`).find(existsSync) ?? '';
  if (found === '' || !existsSync(found)) return null;
  const limiter = ['/usr/bin/prlimit', '/bin/prlimit'].find(existsSync) ?? null;
  const run = async (
    args: readonly string[],
    onOutput: (chunk: Buffer) => void,
    signal: AbortSignal,
  ): Promise<void> => {
    const input = [
      '-nostdin',
      '-hide_banner',
      '-loglevel',
      'error',
      '-threads',
      '1',
      '-protocol_whitelist',
      'file,pipe',
    ];
    const command = [...(limiter === null ? [] : [limiter, `--as=${memoryBytes}`, '--']), found, ...input, ...args];
    await runTool(command, { onOutput, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), log });
  };
  return {
    toVoiceNote: ({ from, to }, signal) =>
      run(
        [
          '-i',
          from,
          '-map',
          '0:a:0',
          '-vn',
          '-ac',
          '1',
          '-ar',
          '48000',
          '-c:a',
          'libopus',
          '-b:a',
          '32k',
          '-f',
          'ogg',
          '-n',
          to,
        ],
        () => undefined,
        signal,
      ),
    loudness: async (path, signal) => {
      const values: number[] = [];
      let sum = 0;
      let samples = 0;
      let odd: Buffer = Buffer.alloc(0);
      await run(
        ['-i', path, '-map', '0:a:0', '-f', 's16le', '-ac', '1', '-ar', '8000', 'pipe:1'],
        (chunk) => {
          const bytes = odd.length === 0 ? chunk : Buffer.concat([odd, chunk]);
          const end = bytes.length - (bytes.length % 2);
          for (let at = 0; at < end; at += 2) {
            sum += Math.abs(bytes.readInt16LE(at));
            samples++;
            if (samples < samplesPerValue) continue;
            values.push(sum / samples);
            sum = 0;
            samples = 0;
          }
          odd = bytes.subarray(end);
        },
        signal,
      );
      if (samples > 0) values.push(sum / samples);
      return values;
    },
    firstFrame: async (path, signal) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      await run(
        [
          '-i',
          path,
          '-map',
          '0:v:0',
          '-frames:v',
          '1',
          '-vf',
          'scale=320:-2',
          '-f',
          'image2pipe',
          '-c:v',
          'mjpeg',
          'pipe:1',
        ],
        (chunk) => {
          bytes += chunk.length;
          if (bytes <= maxOutputBytes) chunks.push(chunk);
        },
        signal,
      );
      return bytes === 0 || bytes > maxOutputBytes ? null : Buffer.concat(chunks);
    },
  };
}

interface ToolRun {
  readonly onOutput: (chunk: Buffer) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

async function runTool([command = '', ...args]: readonly string[], { onOutput, signal, log }: ToolRun): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, signal, killSignal: 'SIGKILL' });
  let complaint = '';
  child.stdout.on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-maxErrorChars);
  });
  child.once('error', reject);
  child.once('close', resolve);
  const code = await promise;
  if (code === 0) return;
  log.debug({ code, complaint }, 'ffmpeg could not convert a file');
  throw new WardenError('media_type_not_supported', { message: 'The file could not be decoded; is it damaged?' });
}
