/**
 * The pictures of people and groups for pages. WhatsApp is asked for one when a browser wants to show it, each once in a
 * while, few at a time, and never for so long that a page waits for it.
 */
import { toWardenError, type ErrorCode } from '../../contract/errors.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ProfilePicture } from '../../media/profile-picture.ts';
import type { Caller } from '../caller.ts';
import { AskTurns } from './ask-turns.ts';
import type { DashboardDependencies } from './dependencies.ts';
import { FaceCache, type KnownFace } from './face-cache.ts';
import { askSession } from './session-call.ts';

const keptMs = 3_600_000;
/** After something went wrong that may be well soon. */
const troubledMs = 60_000;
const fetchTimeoutMs = 15_000;
/** A browser has few connections to one host: what takes longer is there when it is asked for the next time. */
const patienceMs = 4000;
const lasting: ReadonlySet<ErrorCode> = new Set(['no_picture', 'picture_hidden', 'recipient_not_on_whatsapp']);

export interface FaceRequest {
  readonly caller: Caller;
  readonly row: SessionRow;
  readonly jid: string;
  readonly size: 'preview' | 'image';
}

export interface Faces {
  /** Null when it is not known yet; asked again it may be. */
  of(request: FaceRequest): Promise<KnownFace | null>;
}

export function createFaces(dependencies: DashboardDependencies): Faces {
  const { supervisor, clock, log } = dependencies;
  const cache = new FaceCache({ entries: 4000, bytes: 8 * 1024 ** 2 });
  const turns = new AskTurns({ atOnce: 2, burst: 60, perMinute: 30, waiting: 60 });
  const underWay = new Map<string, Promise<KnownFace | null>>();

  const obtain = async (key: string, request: FaceRequest): Promise<KnownFace> => {
    const keep = (picture: ProfilePicture | null, forMs: number): KnownFace => {
      const face = { picture, until: clock.now() + forMs };
      cache.keep(key, face);
      return face;
    };
    try {
      return keep(await pictureOf(dependencies, request), keptMs);
    } catch (error) {
      const { code } = toWardenError(error);
      if (lasting.has(code)) return keep(null, keptMs);
      log.debug({ session: request.row.id, code }, 'profile picture not obtained');
      return keep(null, troubledMs);
    }
  };

  return {
    of: async (request) => {
      const { row, jid, size } = request;
      const key = `${row.id} ${size} ${jid}`;
      const known = cache.find(key, clock.now());
      if (known !== null) return known;
      if (supervisor.view(row).status !== 'connected') return null;
      const running =
        underWay.get(key) ??
        turns.run(row.id, clock.now(), () => obtain(key, request)).finally(() => underWay.delete(key));
      underWay.set(key, running);
      return inTime(running);
    },
  };
}

async function pictureOf(dependencies: DashboardDependencies, request: FaceRequest): Promise<ProfilePicture | null> {
  const { caller, row, jid, size } = request;
  const { url } = await askSession(dependencies, 'getPicture', { caller, row, input: { jid, type: size } });
  const target = await dependencies.supervisor.targetOf(row);
  return dependencies.media.profilePictures.fetch(url, target, AbortSignal.timeout(fetchTimeoutMs));
}

async function inTime<Value>(work: Promise<Value>): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
