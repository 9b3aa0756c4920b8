/** How people get into a group other than by being added: links, personal invites, requests that admins decide. Pure. */
import type { Group, GroupMember } from '../state/groups.ts';
import { type Candidate, done, type GroupChange, type Outcome, type ParticipantResult, refused } from './outcome.ts';

interface Actor {
  readonly lid: string;
  readonly at: number;
}

/** By the group's link; asks for approval where admins decide. */
export function join(group: Group, actor: Actor, code: string): Outcome {
  if (isMember(group, actor.lid)) return refused(409, 'conflict');
  if (group.inviteCode !== code) return refused(410, 'gone');
  if (!group.needsApproval) return admit(group, [actor.lid], 'invite');
  if (group.requests.some(({ lid }) => lid === actor.lid)) return done(group, []);
  const request = { lid: actor.lid, at: actor.at, method: 'invite_link', requestor: null } as const;
  const requested: GroupChange = { tag: 'requested', lids: [actor.lid], method: 'invite_link' };
  return done({ ...group, requests: [...group.requests, request] }, [requested]);
}

/** By an invite that was made for this person when it could not be added. */
export function joinPersonally(group: Group, actor: Actor, code: string): Outcome {
  if (isMember(group, actor.lid)) return refused(409, 'conflict');
  const invite = group.personalInvites.find((candidate) => candidate.lid === actor.lid && candidate.code === code);
  if (invite === undefined) return refused(404, 'item-not-found');
  if (invite.expiresAt <= actor.at) return refused(410, 'gone');
  return admit(group, [actor.lid], 'invite');
}

/** People whom a member proposes in a group where admins decide. */
export function addRequests(group: Group, actor: Actor, people: readonly Candidate[]): Outcome {
  const asked: string[] = [];
  const results = people.map((person): ParticipantResult => {
    const { lid } = person;
    if (lid === null) return { asked: person.asked, lid, error: 404, invite: null };
    if (isMember(group, lid) || group.requests.some((request) => request.lid === lid)) {
      return { asked: person.asked, lid, error: 409, invite: null };
    }
    asked.push(lid);
    return { asked: person.asked, lid, error: null, invite: null };
  });
  const requests = asked.map((lid) => ({ lid, at: actor.at, method: 'non_admin_add', requestor: actor.lid }) as const);
  const changes: GroupChange[] = asked.length === 0 ? [] : [{ tag: 'requested', lids: asked, method: 'non_admin_add' }];
  return done({ ...group, requests: [...group.requests, ...requests] }, changes, results);
}

/** An admin decides on requests. */
export function decide(group: Group, verdict: 'approve' | 'reject', people: readonly Candidate[]): Outcome {
  const decided: string[] = [];
  const results = people.map(({ asked, lid }): ParticipantResult => {
    const isOpen = lid !== null && group.requests.some((request) => request.lid === lid);
    if (isOpen) decided.push(lid);
    return { asked, lid, error: isOpen ? null : 404, invite: null };
  });
  if (decided.length === 0) return done(group, [], results);
  if (verdict === 'approve') return { ...admit(group, decided, 'invite'), results };
  const ended: GroupChange = { tag: 'request_ended', lids: decided };
  return done(withoutRequests(group, decided), [ended], results);
}

/** Somebody thinks better of it. */
export function withdrawRequest(group: Group, actor: Actor): Outcome {
  if (!group.requests.some(({ lid }) => lid === actor.lid)) return refused(404, 'item-not-found');
  return done(withoutRequests(group, [actor.lid]), [{ tag: 'request_ended', lids: [actor.lid] }]);
}

function admit(group: Group, lids: readonly string[], reason: 'invite' | null) {
  const members = [...group.members, ...lids.map((lid): GroupMember => ({ lid, role: 'member' }))];
  const personalInvites = group.personalInvites.filter(({ lid }) => !lids.includes(lid));
  const joined: GroupChange = { tag: 'joined', lids, reason };
  return {
    tag: 'done',
    group: { ...withoutRequests(group, lids), members, personalInvites },
    changes: [joined],
    results: [],
  } as const;
}

function withoutRequests(group: Group, lids: readonly string[]): Group {
  return { ...group, requests: group.requests.filter(({ lid }) => !lids.includes(lid)) };
}

function isMember(group: Group, lid: string): boolean {
  return group.members.some((member) => member.lid === lid);
}
