/** Groups as they stand in stanzas: metadata, participants, notifications. Pure. */
import { assertNever } from '../../contract/assert-never.ts';
import { lidJid, pnJid } from '../jid.ts';
import type { Group, GroupMember } from '../state/groups.ts';
import type { BinaryNode, Directory } from '../types.ts';
import { element } from '../wire/node.ts';
import type { GroupChange, ParticipantResult } from './outcome.ts';

type Addressing = Group['addressing'];

/** Somebody by its LID digits, or one of its devices. */
interface Party {
  readonly lid: string;
  readonly device?: number;
}

/** The address of a person, or of a device, in a group. */
export function addressIn(directory: Directory, addressing: Addressing, { lid, device = 0 }: Party): string {
  const pn = directory.byLid(lid)?.pn;
  return addressing === 'lid' || pn === undefined ? lidJid(lid, device) : pnJid(pn, device);
}

/** Attributes that name a person by its address in the group, and by the other one: `jid`, `phone_number` or `lid`. */
function participantAttrs(directory: Directory, addressing: Addressing, lid: string) {
  const pn = directory.byLid(lid)?.pn;
  return addressing === 'lid'
    ? { jid: lidJid(lid), phone_number: pn === undefined ? undefined : pnJid(pn) }
    : { jid: addressIn(directory, addressing, { lid }), lid: lidJid(lid) };
}

/** Attributes that say who did something: `participant` and `participant_pn` or `participant_lid`. */
export function actorAttrs(directory: Directory, addressing: Addressing, party: Party) {
  const { lid } = party;
  const pn = directory.byLid(lid)?.pn;
  const participant = addressIn(directory, addressing, party);
  return addressing === 'lid'
    ? { participant, participant_pn: pn === undefined ? undefined : pnJid(pn) }
    : { participant, participant_lid: lidJid(lid) };
}

export interface MetadataParts {
  readonly hasDescription: boolean;
  readonly participants: readonly GroupMember[];
}

/** `<group>`, with everything by default. */
export function groupNode(
  directory: Directory,
  group: Group,
  parts: MetadataParts = { hasDescription: true, participants: group.members },
): BinaryNode {
  const { addressing, description } = group;
  const other = (lid: string) => {
    const pn = directory.byLid(lid)?.pn;
    return addressing === 'lid' && pn !== undefined ? pnJid(pn) : undefined;
  };
  const attrs = {
    id: group.jid.slice(0, -'@g.us'.length),
    subject: group.subject,
    s_o: addressIn(directory, addressing, { lid: group.subjectBy }),
    s_o_pn: other(group.subjectBy),
    s_t: String(group.subjectAt),
    creator: addressIn(directory, addressing, { lid: group.createdBy }),
    creator_pn: other(group.createdBy),
    creation: String(group.createdAt),
    size: String(group.members.length),
    addressing_mode: addressing,
  };
  return element('group', attrs, [
    ...(parts.hasDescription && description !== null
      ? [
          element(
            'description',
            {
              id: description.id,
              t: String(description.at),
              participant: addressIn(directory, addressing, { lid: description.by }),
              participant_pn: other(description.by),
            },
            [element('body', {}, Buffer.from(description.text, 'utf8'))],
          ),
        ]
      : []),
    ...(group.isLocked ? [element('locked')] : []),
    ...(group.isAnnouncement ? [element('announcement')] : []),
    ...(group.ephemeralS > 0 ? [element('ephemeral', { expiration: String(group.ephemeralS) })] : []),
    element('member_add_mode', {}, addMode(group)),
    ...(group.needsApproval ? [approvalNode(group)] : []),
    ...parts.participants.map(({ lid, role }) =>
      element('participant', {
        ...participantAttrs(directory, addressing, lid),
        type: role === 'member' ? undefined : role,
      }),
    ),
  ]);
}

/** What an action says about the people whom it named. */
export function resultNodes(directory: Directory, group: Group, results: readonly ParticipantResult[]): BinaryNode[] {
  return results.map(({ asked, lid, error, invite }) =>
    element(
      'participant',
      {
        ...(lid === null ? { jid: asked } : participantAttrs(directory, group.addressing, lid)),
        error: error === null ? undefined : String(error),
      },
      invite === null
        ? undefined
        : [element('add_request', { code: invite.code, expiration: String(invite.expiresAt) })],
    ),
  );
}

/** `<membership_approval_requests>` */
export function requestNodes(directory: Directory, group: Group): BinaryNode {
  return element(
    'membership_approval_requests',
    {},
    group.requests.map(({ lid, at, method, requestor }) =>
      element('membership_approval_request', {
        ...participantAttrs(directory, group.addressing, lid),
        request_time: String(at),
        request_method: method,
        requestor: requestor === null ? undefined : addressIn(directory, group.addressing, { lid: requestor }),
      }),
    ),
  );
}

/** The child of the notification that tells a change to those who were members before. */
export function changeNode(directory: Directory, group: Group, change: GroupChange): BinaryNode {
  const people = (tag: string, lids: readonly string[], attrs = {}) => {
    const participants = lids.map((lid) => element('participant', participantAttrs(directory, group.addressing, lid)));
    return element(tag, attrs, participants);
  };
  switch (change.tag) {
    case 'joined':
      return people('add', change.lids, { reason: change.reason ?? undefined });
    case 'left':
      return people('remove', change.lids);
    case 'promote':
    case 'demote':
      return people(change.tag, change.lids);
    case 'subject':
      return element('subject', {
        subject: group.subject,
        s_t: String(group.subjectAt),
        s_o: addressIn(directory, group.addressing, { lid: group.subjectBy }),
      });
    case 'description':
      return group.description === null
        ? element('description', { id: change.id, delete: 'true' })
        : element('description', { id: change.id }, [element('body', {}, Buffer.from(group.description.text, 'utf8'))]);
    case 'announcement':
      return element(group.isAnnouncement ? 'announcement' : 'not_announcement');
    case 'locked':
      return element(group.isLocked ? 'locked' : 'unlocked');
    case 'all_may_add':
      return element('member_add_mode', {}, addMode(group));
    case 'approval':
      return approvalNode(group);
    case 'ephemeral':
      return group.ephemeralS === 0
        ? element('not_ephemeral')
        : element('ephemeral', { expiration: String(group.ephemeralS) });
    case 'invite':
      return element('invite', { code: group.inviteCode });
    case 'requested':
      return people('created_membership_requests', change.lids, { request_method: change.method });
    case 'request_ended':
      return people('revoked_membership_requests', change.lids);
    default:
      return assertNever(change);
  }
}

/** What people are told who have become members: the whole group. */
export function createNode(
  directory: Directory,
  group: Group,
  attrs: { readonly type?: string; readonly key?: string; readonly reason?: string },
): BinaryNode {
  return element('create', attrs, [groupNode(directory, group)]);
}

function addMode(group: Group): Buffer {
  return Buffer.from(group.allMayAdd ? 'all_member_add' : 'admin_add', 'utf8');
}

function approvalNode(group: Group): BinaryNode {
  return element('membership_approval_mode', {}, [
    element('group_join', { state: group.needsApproval ? 'on' : 'off' }),
  ]);
}
