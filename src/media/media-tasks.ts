/** Work on media that would stall the event loop, in a worker thread that comes and goes. */
import { Piscina } from 'piscina';
import { trusted } from '../contract/trusted.ts';
import type * as MediaWorker from './media-worker.ts';
import type { AudioFacts, PictureFacts } from './media-worker.ts';

export interface MediaTasks {
  /** Rejects for what cannot be decoded, and for pictures with more pixels than anybody shows. */
  describePicture(path: string, signal: AbortSignal): Promise<PictureFacts>;
  shrinkPicture(bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  toJpeg(files: Conversion, signal: AbortSignal): Promise<void>;
  toSticker(files: Conversion, signal: AbortSignal): Promise<{ readonly isAnimated: boolean }>;
  describeAudio(file: { readonly path: string; readonly type: string }, signal: AbortSignal): Promise<AudioFacts>;
  dispose(): Promise<void>;
}

/** The new file must not be there yet. */
export interface Conversion {
  readonly from: string;
  readonly to: string;
}

const idleTimeoutMs = 30_000;
const taskTimeoutMs = 30_000;
const maxHeapMb = 256;

/** The worker starts with the first task and ends when nothing was to do for a while. Dispose of it. */
export function createMediaTasks(): MediaTasks {
  const pool = new Piscina<unknown, unknown>({
    filename: new URL('./media-worker.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: idleTimeoutMs,
    maxQueue: 256,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
  });
  /** The names are those of the worker's exports. */
  const run = <Task extends keyof Worker>(name: Task, input: Parameters<Worker[Task]>[0], signal: AbortSignal) => {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(taskTimeoutMs)]);
    return pool.run(input, { name, signal: ends }).then((answer) => trusted<Awaited<ReturnType<Worker[Task]>>>(answer));
  };
  return {
    describePicture: (path, signal) => run('describePicture', path, signal),
    shrinkPicture: (bytes, signal) => run('shrinkPicture', bytes, signal),
    toJpeg: async (files, signal) => void (await run('toJpeg', files, signal)),
    toSticker: (files, signal) => run('toSticker', files, signal),
    describeAudio: (file, signal) => run('describeAudio', file, signal),
    dispose: () => pool.destroy(),
  };
}

type Worker = typeof MediaWorker;
