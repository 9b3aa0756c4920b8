/** What may be done in a group, by whom, and what becomes of the group. Pure. */
import { assertNever } from '../../contract/assert-never.ts';
import type { Group, GroupMember } from '../state/groups.ts';
import { join, joinPersonally, decide, withdrawRequest, addRequests } from './joining.ts';
import { done, type Candidate, type GroupChange, type Outcome, type ParticipantResult, refused } from './outcome.ts';

export type GroupAction =
  | { readonly tag: 'add' | 'remove' | 'promote' | 'demote'; readonly people: readonly Candidate[] }
  | { readonly tag: 'leave' }
  | { readonly tag: 'subject'; readonly subject: string }
  | { readonly tag: 'description'; readonly id: string; readonly text: string | null }
  | { readonly tag: 'announcement' | 'locked' | 'all_may_add' | 'approval'; readonly isOn: boolean }
  | { readonly tag: 'ephemeral'; readonly seconds: number }
  | { readonly tag: 'new_invite'; readonly code: string }
  /** By the group's link. */
  | { readonly tag: 'join'; readonly code: string }
  /** By an invite that an admin wrote to this person. */
  | { readonly tag: 'join_personally'; readonly code: string }
  | { readonly tag: 'withdraw_invites'; readonly people: readonly Candidate[] }
  | { readonly tag: 'approve' | 'reject'; readonly people: readonly Candidate[] }
  | { readonly tag: 'withdraw_request' };

/** WhatsApp's limit. */
const MOST_SUBJECT_CHARACTERS = 100;
const ADD_REQUEST_LIFE_S = 3 * 24 * 3600;

/** Who asks, and when (unix seconds). */
export interface Actor {
  readonly lid: string;
  readonly at: number;
}

export function memberOf(group: Group, lid: string): GroupMember | undefined {
  return group.members.find((member) => member.lid === lid);
}

export function isAdmin(group: Group, lid: string): boolean {
  const role = memberOf(group, lid)?.role;
  return role === 'admin' || role === 'superadmin';
}

/** Whether this member may change subject, description, picture and the life of messages. */
export function mayEdit(group: Group, lid: string): boolean {
  return memberOf(group, lid) !== undefined && (!group.isLocked || isAdmin(group, lid));
}

/** Whether this member may write messages. */
export function mayWrite(group: Group, lid: string): boolean {
  return memberOf(group, lid) !== undefined && (!group.isAnnouncement || isAdmin(group, lid));
}

/** Carries out an action, or says why not. What does not change anything is done without changes. */
export function act(group: Group, actor: Actor, action: GroupAction): Outcome {
  switch (action.tag) {
    case 'join':
      return join(group, actor, action.code);
    case 'join_personally':
      return joinPersonally(group, actor, action.code);
    case 'withdraw_request':
      return withdrawRequest(group, actor);
    default:
      break;
  }
  if (memberOf(group, actor.lid) === undefined) return refused(403, 'forbidden');
  return isAllowed(group, actor.lid, action.tag) ? actAsMember(group, actor, action) : refused(403, 'forbidden');
}

type MemberAction = Exclude<GroupAction, { tag: 'join' | 'join_personally' | 'withdraw_request' }>;

function isAllowed(group: Group, lid: string, tag: MemberAction['tag']): boolean {
  switch (tag) {
    case 'leave':
      return true;
    case 'subject':
    case 'description':
    case 'ephemeral':
      return mayEdit(group, lid);
    case 'add':
      return group.allMayAdd || isAdmin(group, lid);
    default:
      return isAdmin(group, lid);
  }
}

function actAsMember(group: Group, actor: Actor, action: MemberAction): Outcome {
  const { lid: by, at } = actor;
  switch (action.tag) {
    case 'add':
      return add(group, actor, action.people);
    case 'remove':
      return remove(group, action.people);
    case 'promote':
    case 'demote':
      return changeRole(group, action.tag, action.people);
    case 'leave':
      return leave(group, by);
    case 'subject': {
      if (action.subject.length === 0 || action.subject.length > MOST_SUBJECT_CHARACTERS) {
        return refused(406, 'not-acceptable');
      }
      return done({ ...group, subject: action.subject, subjectBy: by, subjectAt: at }, [{ tag: 'subject' }]);
    }
    case 'description': {
      const { id, text } = action;
      return done({ ...group, description: text === null ? null : { id, text, by, at } }, [{ tag: 'description', id }]);
    }
    case 'announcement':
      return setting({ ...group, isAnnouncement: action.isOn }, group.isAnnouncement, action);
    case 'locked':
      return setting({ ...group, isLocked: action.isOn }, group.isLocked, action);
    case 'all_may_add':
      return setting({ ...group, allMayAdd: action.isOn }, group.allMayAdd, action);
    case 'approval':
      return setting({ ...group, needsApproval: action.isOn }, group.needsApproval, action);
    case 'ephemeral': {
      const changes: GroupChange[] = action.seconds === group.ephemeralS ? [] : [{ tag: 'ephemeral' }];
      return done({ ...group, ephemeralS: action.seconds }, changes);
    }
    case 'new_invite': {
      const revokedCodes = [...group.revokedCodes, group.inviteCode];
      return done({ ...group, inviteCode: action.code, revokedCodes }, [{ tag: 'invite' }]);
    }
    case 'withdraw_invites': {
      const lids = action.people.map(({ lid }) => lid);
      return done({ ...group, personalInvites: group.personalInvites.filter(({ lid }) => !lids.includes(lid)) }, []);
    }
    case 'approve':
    case 'reject':
      return decide(group, action.tag, action.people);
    default:
      return assertNever(action);
  }
}

function setting(
  group: Group,
  wasOn: boolean,
  { tag, isOn }: { tag: 'announcement' | 'locked' | 'all_may_add' | 'approval'; isOn: boolean },
): Outcome {
  return done(group, wasOn === isOn ? [] : [{ tag }]);
}

function add(group: Group, actor: Actor, people: readonly Candidate[]): Outcome {
  if (group.needsApproval && !isAdmin(group, actor.lid)) return addRequests(group, actor, people);
  const newcomers: string[] = [];
  let { personalInvites } = group;
  const results = people.map((person): ParticipantResult => {
    const { asked, lid, code } = person;
    if (lid === null) return { asked, lid, error: 404, invite: null };
    if (memberOf(group, lid) !== undefined || newcomers.includes(lid)) return { asked, lid, error: 409, invite: null };
    if (person.isBlocked) return { asked, lid, error: 401, invite: null };
    if (person.forbidsAdding) {
      const invite = { lid, code, expiresAt: actor.at + ADD_REQUEST_LIFE_S, admin: actor.lid };
      personalInvites = [...personalInvites.filter((other) => other.lid !== lid), invite];
      return { asked, lid, error: 403, invite };
    }
    newcomers.push(lid);
    return { asked, lid, error: null, invite: null };
  });
  const members = [...group.members, ...newcomers.map((lid): GroupMember => ({ lid, role: 'member' }))];
  const requests = group.requests.filter(({ lid }) => !newcomers.includes(lid));
  const changes: GroupChange[] = newcomers.length === 0 ? [] : [{ tag: 'joined', lids: newcomers, reason: null }];
  return done({ ...group, members, requests, personalInvites }, changes, results);
}

function remove(group: Group, people: readonly Candidate[]): Outcome {
  const gone: string[] = [];
  const results = people.map(({ asked, lid }): ParticipantResult => {
    const member = lid === null ? undefined : memberOf(group, lid);
    if (member === undefined) return { asked, lid, error: 404, invite: null };
    if (member.role === 'superadmin') return { asked, lid, error: 403, invite: null };
    gone.push(member.lid);
    return { asked, lid, error: null, invite: null };
  });
  const members = group.members.filter(({ lid }) => !gone.includes(lid));
  return done({ ...group, members }, gone.length === 0 ? [] : [{ tag: 'left', lids: gone }], results);
}

function changeRole(group: Group, tag: 'promote' | 'demote', people: readonly Candidate[]): Outcome {
  const role = tag === 'promote' ? 'admin' : 'member';
  const changed: string[] = [];
  const results = people.map(({ asked, lid }): ParticipantResult => {
    const member = lid === null ? undefined : memberOf(group, lid);
    if (member === undefined) return { asked, lid, error: 404, invite: null };
    if (member.role === 'superadmin' && tag === 'demote') return { asked, lid, error: 403, invite: null };
    if (member.role !== role && member.role !== 'superadmin') changed.push(member.lid);
    return { asked, lid, error: null, invite: null };
  });
  const members = group.members.map((member): GroupMember =>
    changed.includes(member.lid) ? { ...member, role } : member,
  );
  return done({ ...group, members }, changed.length === 0 ? [] : [{ tag, lids: changed }], results);
}

/** A group whose last admin leaves gets the member who has been there longest as admin. */
function leave(group: Group, lid: string): Outcome {
  const rest = group.members.filter((member) => member.lid !== lid);
  const left: GroupChange = { tag: 'left', lids: [lid] };
  const [eldest, ...others] = rest;
  if (eldest === undefined || rest.some(({ role }) => role !== 'member'))
    return done({ ...group, members: rest }, [left]);
  const members: readonly GroupMember[] = [{ ...eldest, role: 'admin' }, ...others];
  return done({ ...group, members }, [left, { tag: 'promote', lids: [eldest.lid] }]);
}
