/** Groups as control requests name them. */
import { WardenError } from '../contract/errors.ts';
import { memberOf } from './groups/rules.ts';
import type { Group, Groups } from './state/groups.ts';
import type { User } from './types.ts';

/** Fails with `contact_not_found` when there is no such group. */
export function knownGroup(groups: Groups, jid: string): Group {
  const group = groups.byJid(jid);
  if (group === undefined) throw new WardenError('contact_not_found', { message: 'There is no group with this JID.' });
  return group;
}

/** The same; fails with `forbidden` when the person is not a member. */
export function memberGroup(groups: Groups, jid: string, person: User): Group {
  const group = knownGroup(groups, jid);
  if (memberOf(group, person.lid) === undefined) {
    throw new WardenError('forbidden', { message: 'This person is not a member of the group.' });
  }
  return group;
}
