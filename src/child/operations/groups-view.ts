/** Groups as the API tells them: pure. */
import type { Result } from '../../contract/index.ts';
import { userOf } from '../../contract/ids.ts';
import { addressOf, isSamePerson, type GroupFacts, type Person, type PersonOutcome } from '../engine/group-facts.ts';

type Group = Result<'getGroup'>;
type ParticipantResult = Result<'changeGroupParticipants'>['results'][number];

/** `own` is the account. */
export function groupSummary(group: GroupFacts, own: Person): Result<'listGroups'>['groups'][number] {
  const { jid, subject, members, size, isAnnounce, createdAt } = group;
  const self = members.find((member) => isSamePerson(member, own));
  return {
    jid,
    subject,
    name: subject,
    participant_count: members.length === 0 ? size : members.length,
    is_announce: isAnnounce,
    is_admin: self !== undefined && self.role !== 'member',
    created_at: createdAt,
  };
}

export function groupResource(group: GroupFacts, own: Person): Group {
  const { description, owner, members, addressing } = group;
  return {
    ...groupSummary(group, own),
    description,
    topic: description,
    owner: addressOf(owner) || null,
    participants: members.map(({ role, ...person }) => ({
      jid: addressOf(person),
      lid: person.lid,
      phone_number: person.pn === null ? null : userOf(person.pn),
      role,
    })),
    addressing_mode: addressing,
    settings: {
      announce: group.isAnnounce,
      locked: group.isLocked,
      join_approval: group.needsApproval,
      member_add: group.allMayAdd ? 'all' : 'admins',
      ephemeral_seconds: group.ephemeralSeconds,
    },
  };
}

export function participantResult(outcome: PersonOutcome): ParticipantResult {
  return { jid: addressOf(outcome) || outcome.id, ok: outcome.code === '200', code: outcome.code };
}

/** About what a description takes on the way to the supervisor: its texts, and the names of its fields. */
const bytesPerGroup = 1_200;
const bytesPerMember = 260;

/** How many groups from `start` on fit into one answer; at least one. */
export function pageLength(
  groups: readonly GroupFacts[],
  start: number,
  { mostBytes, inFull }: { readonly mostBytes: number; readonly inFull: boolean },
): number {
  let bytes = 0;
  let count = 0;
  for (const { subject, description, members } of groups.slice(start)) {
    const texts = 4 * subject.length + (inFull ? 4 * (description?.length ?? 0) : 0);
    bytes += bytesPerGroup + texts + (inFull ? members.length * bytesPerMember : 0);
    if (count > 0 && bytes > mostBytes) break;
    count++;
  }
  return count;
}
