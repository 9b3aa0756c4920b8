/** The media of one gateway, put together: spool, preparation, received files. */
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import type { LinkTarget, PreparedMedia } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { createGuardedAgent } from './guarded-fetch.ts';
import { MediaCache } from './media-cache.ts';
import type { MediaKind } from './media-kinds.ts';
import { createMediaTasks } from './media-tasks.ts';
import { createMediaPreparer, type MediaPreparer } from './prepare-media.ts';
import { createAddressPolicy } from './private-address.ts';
import { createProfilePictures, type ProfilePictures } from './profile-picture.ts';
import { createReceivedMedia, type ReceivedMedia } from './received-media.ts';
import { Spool } from './spool.ts';

export interface MediaSettings {
  readonly folder: string;
  readonly spoolQuotaBytes: number;
  readonly cacheQuotaBytes: number;
  readonly maxBytes: Readonly<Record<MediaKind, number>>;
  readonly fetchTimeoutMs: number;
  readonly downloadTimeoutMs: number;
  readonly allowCidrs: readonly string[];
  readonly userAgent: string;
  /** See `findFfmpeg`. */
  readonly ffmpegPath: string | null;
}

export interface MediaOptions {
  readonly settings: MediaSettings;
  readonly listNeeded: () => Promise<readonly string[]>;
  readonly findUploaded: (id: string, isSandbox: boolean) => Promise<PreparedMedia | null>;
  readonly log: Logger;
}

export interface Media {
  readonly spool: Spool;
  readonly preparer: MediaPreparer;
  readonly received: ReceivedMedia;
  readonly profilePictures: ProfilePictures;
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;
const idleTimeoutMs = 20_000;
/** WhatsApp's own limit for documents; what others send is kept while somebody reads it. */
const largestReceivedBytes = 2 * 1024 ** 3;

/** Opens the folders; dispose of it with `close`. */
export async function createMedia({ settings, listNeeded, findUploaded, log }: MediaOptions): Promise<Media> {
  const { folder, userAgent } = settings;
  const spool = await Spool.open({
    folder: join(folder, 'spool'),
    quotaBytes: settings.spoolQuotaBytes,
    listNeeded,
    log,
  });
  const cache = await MediaCache.open({
    folder: join(folder, 'received'),
    quotaBytes: settings.cacheQuotaBytes,
    capBytes: Math.min(largestReceivedBytes, settings.cacheQuotaBytes),
  });
  const tasks = createMediaTasks();
  const policy = createAddressPolicy(settings.allowCidrs);
  const limits = { connectTimeoutMs, headersTimeoutMs: idleTimeoutMs, bodyTimeoutMs: idleTimeoutMs };
  const guarded = createGuardedAgent({ policy, ...limits });
  const agents = new Map<string, Agent>();
  /** The server that a session is linked to was chosen by the operator, wherever it is. */
  const agentFor = (target: LinkTarget): Dispatcher => {
    if (target.url === null) return guarded;
    const key = target.caPem ?? '';
    const known = agents.get(key);
    if (known !== undefined) return known;
    const agent = new Agent({
      connect: { timeout: connectTimeoutMs, ...(target.caPem === null ? {} : { ca: target.caPem }) },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    });
    agents.set(key, agent);
    return agent;
  };
  const received = createReceivedMedia({ cache, agentFor, userAgent, timeoutMs: settings.downloadTimeoutMs });
  const preparer = createMediaPreparer({
    spool,
    tasks,
    ffmpeg: findFfmpeg(settings.ffmpegPath, log),
    fetching: { agent: guarded, policy, userAgent },
    maxBytes: settings.maxBytes,
    fetchTimeoutMs: settings.fetchTimeoutMs,
    findUploaded,
  });
  return {
    spool,
    preparer,
    received,
    profilePictures: createProfilePictures({ agentFor, userAgent }),
    close: async () => {
      received.close();
      spool.close();
      await Promise.all([tasks.dispose(), guarded.destroy(), ...[...agents.values()].map((agent) => agent.destroy())]);
    },
  };
}
