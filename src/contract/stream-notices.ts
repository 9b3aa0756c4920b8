/** What event streams tell beside events. Notices are not stored: they have no id, and nobody gets them later. */

const sessionNotices = {
  session_created: 'session_created is told when a session was created.',
  session_updated: 'session_updated is told when the name, the settings or the wish to run of a session have changed.',
  session_deleted: 'session_deleted is told when a session was deleted; a stream of that session alone ends with it.',
} as const;

export type SessionNoticeName = keyof typeof sessionNotices;

export const streamNotices = {
  ...sessionNotices,
  stream_reset:
    'stream_reset is told when events after the Last-Event-ID are not stored any more; those that are left follow.',
} as const;

export type StreamNoticeName = keyof typeof streamNotices;

export const isSessionNotice = (name: string): name is SessionNoticeName => Object.hasOwn(sessionNotices, name);
export const sessionNoticeNames: readonly SessionNoticeName[] = Object.keys(sessionNotices).filter(isSessionNotice);
