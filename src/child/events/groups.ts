/** From what WhatsApp notifies of a group to events: pure. */
import { assertNever } from '../../contract/assert-never.ts';
import type { SessionEvent } from '../../contract/events.ts';
import { userOf } from '../../contract/ids.ts';
import type { RecordItem } from '../../contract/ipc.ts';
import { addressOf, type Person } from '../engine/group-facts.ts';
import type { GroupChange, GroupNotice } from '../engine/group-notices.ts';

/**
 * One item per change, and per person who asks to join. WhatsApp tells a notification again until it is acknowledged, so
 * that each has an id under which it is told once. `now` in unix milliseconds, for a notification without a time.
 */
export function groupItems(notice: GroupNotice, now: number): readonly RecordItem[] {
  const seconds = notice.at ?? Math.floor(now / 1000);
  const events = notice.changes.flatMap((change) => eventsOf(notice, change, seconds));
  return events.map((event, index) => ({
    tag: 'event',
    event,
    at: seconds * 1000,
    onceId: `group:${notice.group}:${notice.id}:${seconds}:${index}`,
  }));
}

function eventsOf(notice: GroupNotice, change: GroupChange, timestamp: number): readonly SessionEvent[] {
  const { group } = notice;
  const by = addressOf(notice.by) || null;
  switch (change.tag) {
    case 'setting':
      return [{ name: 'group_update', data: { group, by, change: change.setting, value: change.value, timestamp } }];
    case 'participants': {
      const { action, people } = change;
      const participants = people.map((person) => memberOf(person));
      return [{ name: 'group_participants', data: { group, by, action, participants, timestamp } }];
    }
    case 'requests': {
      const { action, people } = change;
      return people.map((person) => ({
        name: 'group_join_request',
        data: { group, jid: addressOf(person), action, timestamp },
      }));
    }
    default:
      return assertNever(change);
  }
}

function memberOf(person: Person) {
  return {
    jid: addressOf(person),
    phone_number: person.pn === null ? null : userOf(person.pn),
    lid: person.lid,
  };
}
