/** The public status of a session as the supervisor holds it. */
import { WardenError } from '../contract/errors.ts';
import type { SessionStatus } from '../contract/operations/sessions.ts';
import type { ChildChannel } from './child-environment.ts';
import type { LiveSession } from './live-session.ts';
import type { Life, ProcessState } from './process-machine.ts';
import { deriveStatus } from './status.ts';

/** `startsPausedMs`: for how long nothing is started; null while starts go on. */
export function statusOf(
  session: LiveSession,
  desired: 'running' | 'stopped',
  startsPausedMs: number | null,
): { readonly status: SessionStatus; readonly statusReason: string } {
  const child = session.host?.child ?? null;
  const { status, reason } = deriveStatus({
    desired,
    link: session.link,
    process:
      child === null
        ? null
        : {
            state: isRetrying(child.state, session) ? 'crash_loop' : child.state.life.tag,
            silentMs: child.silentMs,
            lastExitDetail: child.state.lastExit?.detail ?? null,
            retryInMs: child.retryInMs,
            pausedMs: isQueued(child.state.life) ? startsPausedMs : null,
          },
    trouble: session.trouble,
  });
  return { status, statusReason: reason };
}

/** A try within a crash loop is no news: nothing has become better until it is of use. */
const isRetrying = ({ isLooping, life }: ProcessState, { link }: LiveSession): boolean =>
  isLooping && (life.tag === 'starting' || (life.tag === 'running' && isOnItsWay(link)));

/** Once it has failed to connect, the link itself says what is wrong and when it tries again. */
const isOnItsWay = ({ state, until }: LiveSession['link']): boolean =>
  until === null && (state === 'connecting' || state === 'reconnecting');

const isQueued = (life: Life): boolean => life.tag === 'starting' && life.phase === 'queued';

/** Why nothing can be asked of WhatsApp through it right now. */
export function notConnected(session: LiveSession): WardenError {
  const { reason } = session.link;
  return new WardenError('session_not_connected', { message: `The session is not connected to WhatsApp. ${reason}` });
}

/** The channel to the child of a connected session. Throws `session_not_connected`. */
export function connectedChannel(session: LiveSession): ChildChannel {
  const channel = session.host?.child.channel ?? null;
  if (channel === null || !session.isConnected) throw notConnected(session);
  return channel;
}
