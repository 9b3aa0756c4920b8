/** What contacts change about themselves, as events: pure. */
import type { EventData } from '../../contract/events.ts';
import type { RecordItem } from '../../contract/ipc.ts';

type Change = Partial<Omit<EventData<'contact_update'>, 'jid'>>;

function contactUpdate(
  subject: { readonly jid: string; readonly at: number; readonly onceId: string },
  change: Change,
): RecordItem {
  const { jid, at, onceId } = subject;
  return {
    tag: 'event',
    at,
    onceId,
    event: { name: 'contact_update', data: { jid, name: null, picture: null, about: null, ...change } },
  };
}

/** A push name other than the one known before; `since` is when that one was first seen. */
export function nameChange(
  seen: { readonly jid: string; readonly name: string; readonly at: number },
  known: { readonly since: number },
): RecordItem {
  const { jid, name, at } = seen;
  return contactUpdate({ jid, at, onceId: `contact_name:${jid}:${known.since}` }, { name });
}

/** `id` is that of WhatsApp's notification, which comes again when its receipt was lost. */
export function pictureChange(seen: {
  readonly jid: string;
  readonly id: string;
  readonly at: number;
  readonly picture: 'changed' | 'removed';
}): RecordItem {
  const { jid, id, at, picture } = seen;
  return contactUpdate({ jid, at, onceId: `contact_picture:${jid}:${id}` }, { picture });
}

export function aboutChange(seen: {
  readonly jid: string;
  readonly id: string;
  readonly at: number;
  readonly about: string | null;
}): RecordItem {
  const { jid, id, at, about } = seen;
  return contactUpdate({ jid, at, onceId: `contact_about:${jid}:${id}` }, { about });
}
