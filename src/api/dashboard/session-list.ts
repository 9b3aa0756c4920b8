/** Searches, filters, sorts and pages a list of sessions. Pure. */
import { assertNever } from '../../contract/assert-never.ts';
import type { SessionResource, SessionStatus } from '../../contract/operations/sessions.ts';
import { statuses } from './session-tone.ts';

export const sortKeys = ['id', 'status', 'memory', 'restarts', 'activity', 'created'] as const;
export type SortKey = (typeof sortKeys)[number];

/** A session with when it was heard of last: a message, or a connection. Unix seconds. */
export type ListedSession = SessionResource & { readonly activity_at: number | null };

export interface ListWishes {
  /** In any case, in id, name, push name and phone number. */
  readonly search: string;
  readonly status: SessionStatus | null;
  readonly sort: SortKey;
  readonly isDescending: boolean;
  /** From 1. */
  readonly page: number;
}

export interface SessionPage {
  readonly sessions: readonly ListedSession[];
  /** That match. */
  readonly matching: number;
  readonly page: number;
  readonly pages: number;
}

export const pageSize = 50;

/** Wishes out of a query; what makes no sense is taken for the default. */
export function wishesOf(query: Readonly<Record<string, string>>): ListWishes {
  const { q = '', status = '', sort = '', page = '' } = query;
  const name = sort.replace(/^-/, '');
  const key = sortKeys.find((each) => each === name) ?? 'created';
  return {
    search: q.trim().slice(0, 100),
    status: statuses.find((each) => each === status) ?? null,
    sort: key,
    isDescending: sort.startsWith('-'),
    page: /^[1-9]\d{0,4}$/.test(page) ? Number(page) : 1,
  };
}

/** The page asked for; the last one when there are fewer. */
export function pageOf(sessions: readonly ListedSession[], wishes: ListWishes): SessionPage {
  const matching = sessions.filter((session) => isWanted(session, wishes));
  const order = wishes.isDescending ? -1 : 1;
  const sorted = matching.toSorted(
    (one, other) => order * compare(one, other, wishes.sort) || one.id.localeCompare(other.id),
  );
  const pages = Math.max(1, Math.ceil(matching.length / pageSize));
  const page = Math.min(wishes.page, pages);
  return {
    sessions: sorted.slice((page - 1) * pageSize, page * pageSize),
    matching: matching.length,
    page,
    pages,
  };
}

/** The query that leads to these wishes, with some of them changed; defaults are left out. */
export function queryOf(wishes: ListWishes, change: Partial<ListWishes>): string {
  const { search, status, sort, isDescending, page } = { ...wishes, ...change };
  const query = new URLSearchParams();
  if (search !== '') query.set('q', search);
  if (status !== null) query.set('status', status);
  if (sort !== 'created' || isDescending) query.set('sort', `${isDescending ? '-' : ''}${sort}`);
  if (page > 1) query.set('page', String(page));
  return query.toString();
}

function isWanted(session: SessionResource, { search, status }: ListWishes): boolean {
  if (status !== null && session.status !== status) return false;
  if (search === '') return true;
  const wanted = search.toLowerCase();
  const digits = search.replaceAll(/[\s+()-]/g, '');
  const texts = [session.id, session.name, session.push_name];
  return (
    texts.some((text) => text?.toLowerCase().includes(wanted) === true) ||
    (/^\d+$/.test(digits) && session.phone_number?.includes(digits) === true)
  );
}

function compare(one: ListedSession, other: ListedSession, key: SortKey): number {
  switch (key) {
    case 'id':
      return one.id.localeCompare(other.id);
    case 'status':
      return statuses.indexOf(one.status) - statuses.indexOf(other.status);
    case 'memory':
      return (one.child?.memory_bytes ?? 0) - (other.child?.memory_bytes ?? 0);
    case 'restarts':
      return (one.child?.restarts ?? 0) - (other.child?.restarts ?? 0);
    case 'activity':
      return (one.activity_at ?? 0) - (other.activity_at ?? 0);
    case 'created':
      return one.created_at - other.created_at;
    default:
      return assertNever(key);
  }
}

/** When something was heard of a session last; `latestMessageAt` in unix milliseconds. */
export function withActivity(session: SessionResource, latestMessageAt: number | undefined): ListedSession {
  const times = [
    session.last_connected_at,
    latestMessageAt === undefined ? null : Math.floor(latestMessageAt / 1000),
  ].filter((at) => at !== null);
  return { ...session, activity_at: times.length === 0 ? null : Math.max(...times) };
}
