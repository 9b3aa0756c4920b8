/** Gathers what a child needs to start a session, and takes the session with a new epoch. */
import { WardenError } from '../contract/errors.ts';
import { estimateBytes } from '../contract/frame-size.ts';
import type { InboxEntry, LinkTarget, StartSession } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { SessionRow, Store } from '../store/store.ts';
import type { LiveSession } from './live-session.ts';
import type { SupervisorSettings } from './settings.ts';

interface LoadOptions {
  readonly store: Store;
  readonly settings: SupervisorSettings;
  readonly resolveTarget: (row: SessionRow) => Promise<LinkTarget>;
  readonly log: Logger;
}

/** What does not fit into one message beside the credentials waits for the next start. */
const inboxBytes = 768 * 1024;

/** The epoch is taken first: what is loaded after it can no longer be changed by an older child. */
export async function loadStart(
  { store, settings, resolveTarget, log }: LoadOptions,
  session: LiveSession,
): Promise<StartSession> {
  const row = await store.sessions.get(session.id);
  const target = row === null ? null : await resolveTarget(row);
  const epoch = row === null ? null : await store.sessions.takeEpoch(session.id);
  if (row === null || target === null || epoch === null) throw new WardenError('session_not_found');
  const { creds, inbox } = await store.credentials.load(session.id);
  const fitting = fit(inbox);
  if (fitting.length < inbox.length)
    log.warn({ session: session.id, left: inbox.length - fitting.length }, 'inbox is too large for one start');
  return {
    session: session.id,
    epoch,
    target,
    creds,
    limits: settings.limits,
    version: settings.version,
    inbox: fitting,
    fallbackName: row.name ?? '',
  };
}

function fit(inbox: readonly InboxEntry[]): readonly InboxEntry[] {
  let left = inboxBytes;
  return inbox.filter((entry) => (left -= estimateBytes(entry, inboxBytes)) >= 0);
}
