/** Groups as a whole: list, found, leave, and what admins may change about them. */
import { WardenError } from '../../contract/errors.ts';
import type { Params, Result } from '../../contract/index.ts';
import {
  changeDescription,
  changePicture,
  changeSetting,
  changeSubject,
  foundGroup,
  leaveGroup as leave,
  type GroupSettingChange,
} from '../engine/group-changes.ts';
import { ownPerson } from '../engine/group-people.ts';
import { fetchGroup, fetchGroups } from '../engine/group-queries.ts';
import { notOnWhatsApp } from '../engine/recipients.ts';
import { identifyParticipants } from './groups-participants.ts';
import { groupResource, groupSummary, pageLength, participantResult } from './groups-view.ts';
import type { ChildContext } from './index.ts';

/** What an answer may take of one frame of the channel; the rest is another page. */
const mostAnswerBytes = 700 * 1024;

export async function listGroups(params: Params<'listGroups'>, context: ChildContext): Promise<Result<'listGroups'>> {
  const { participants: inFull, limit, cursor } = params;
  const all = await fetchGroups(context.sock);
  const after = cursor === undefined ? 0 : all.findIndex(({ jid }) => jid > cursor);
  const start = after === -1 ? all.length : after;
  const count = Math.min(limit ?? all.length, pageLength(all, start, { mostBytes: mostAnswerBytes, inFull }));
  const page = all.slice(start, start + count);
  const own = ownPerson(context.sock);
  return {
    groups: page.map((group) => (inFull ? groupResource(group, own) : groupSummary(group, own))),
    total: all.length,
    next_cursor: start + count < all.length ? (page.at(-1)?.jid ?? null) : null,
  };
}

export async function getGroup({ jid }: Params<'getGroup'>, context: ChildContext): Promise<Result<'getGroup'>> {
  return groupResource(await fetchGroup(context, jid), ownPerson(context.sock));
}

export async function createGroup(
  { subject, participants }: Params<'createGroup'>,
  context: ChildContext,
): Promise<Result<'createGroup'>> {
  const { known, unknown } = await identifyParticipants(context, participants);
  const [stranger] = unknown;
  if (known.length === 0 && stranger !== undefined) throw notOnWhatsApp(stranger.id, 'participants');
  const group = await foundGroup(context, { subject, members: known.map(({ id }) => id) });
  const notAdded = [...group.notAdded, ...unknown].map((outcome) => participantResult(outcome));
  return { ...groupResource(group, ownPerson(context.sock)), not_added: notAdded };
}

export async function leaveGroup({ jid }: Params<'leaveGroup'>, context: ChildContext): Promise<Result<'leaveGroup'>> {
  await leave(context, jid);
  return { success: true, message: 'Left the group.' };
}

export async function setGroupSubject(
  { jid, subject }: Params<'setGroupSubject'>,
  context: ChildContext,
): Promise<Result<'setGroupSubject'>> {
  await changeSubject(context, jid, subject);
  return { success: true, message: 'Subject changed.' };
}

export async function setGroupDescription(
  { jid, description }: Params<'setGroupDescription'>,
  context: ChildContext,
): Promise<Result<'setGroupDescription'>> {
  await changeDescription(context, jid, description);
  return { success: true, message: description === '' ? 'Description removed.' : 'Description changed.' };
}

/** One after the other, since WhatsApp takes them one by one; those before a refusal stay changed. */
export async function setGroupSettings(
  params: Params<'setGroupSettings'>,
  context: ChildContext,
): Promise<Result<'setGroupSettings'>> {
  const changes = settingChanges(params);
  if (changes.length === 0) {
    throw new WardenError('invalid_request', {
      message: 'The request names no setting.',
      details: [
        {
          field: 'announce',
          expected: 'at least one of announce, locked, join_approval, member_add, ephemeral_seconds',
          received: 'nothing',
        },
      ],
    });
  }
  for (const change of changes) await changeSetting(context, params.jid, change);
  return { success: true, message: 'Settings changed.' };
}

function settingChanges(params: Params<'setGroupSettings'>): readonly GroupSettingChange[] {
  const { announce, locked, join_approval: approval, member_add: memberAdd, ephemeral_seconds: seconds } = params;
  return [
    ...(announce === undefined ? [] : [{ tag: 'announce', isOn: announce } as const]),
    ...(locked === undefined ? [] : [{ tag: 'locked', isOn: locked } as const]),
    ...(approval === undefined ? [] : [{ tag: 'join_approval', isOn: approval } as const]),
    ...(memberAdd === undefined ? [] : [{ tag: 'member_add', everybody: memberAdd === 'all' } as const]),
    ...(seconds === undefined ? [] : [{ tag: 'ephemeral', seconds } as const]),
  ];
}

/** The API has made the picture the square JPEG that WhatsApp wants. */
export async function setGroupPicture(
  { jid, base64 }: Params<'setGroupPicture'>,
  context: ChildContext,
): Promise<Result<'setGroupPicture'>> {
  await changePicture(context, jid, base64 === null ? null : Buffer.from(base64, 'base64'));
  return { success: true, message: base64 === null ? 'Picture removed.' : 'Picture changed.' };
}
