/** What an account can change about groups, as WhatsApp takes it: the namespace `w:g2`, and pictures. */
import { randomBytes } from 'node:crypto';
import {
  S_WHATSAPP_NET,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type BinaryNode,
  type WASocket,
} from '@whiskeysockets/baileys';
import { assertNever } from '../../contract/assert-never.ts';
import { answered, normaliseFailure, refused } from './failures.ts';
import { readGroup, readOutcome, type GroupFacts, type PersonOutcome } from './group-facts.ts';
import { changeFailure, inviteFailure, lookupFailure } from './group-failures.ts';
import { completed, learn } from './group-people.ts';
import {
  askGroups,
  explained,
  fetchGroup,
  fetchInvited,
  node,
  requiredChild,
  withNumbers,
  type GroupAccess,
} from './group-queries.ts';

/** Founds a group with those who may be added; the others stand in `notAdded`. */
export async function foundGroup(
  { sock, groups }: GroupAccess,
  { subject, members }: { readonly subject: string; readonly members: readonly string[] },
): Promise<GroupFacts> {
  const what = 'create the group';
  try {
    const content = [{ tag: 'create', attrs: { subject, key: newId() }, content: participantNodes(members) }];
    const answer = await askGroups(sock, { to: '@g.us', type: 'set', content, what });
    const group = readGroup(requiredChild(answer, 'group', what));
    groups.forget(group.jid);
    await learn(sock, group.members);
    return await withNumbers(sock, group);
  } catch (error) {
    throw normaliseFailure(error, what);
  }
}

/** Throws `group_not_found` when the account is no member. */
export async function leaveGroup({ sock, groups }: GroupAccess, jid: string): Promise<void> {
  const what = 'leave the group';
  try {
    const content = [{ tag: 'leave', attrs: {}, content: [node('group', { id: jid })] }];
    const answer = await askGroups(sock, { to: '@g.us', type: 'set', content, what });
    const left = getBinaryNodeChild(getBinaryNodeChild(answer, 'leave'), 'group');
    const code = left?.attrs['error'];
    if (code !== undefined) throw refused(what, code);
  } catch (error) {
    throw lookupFailure(error, what);
  } finally {
    groups.forget(jid);
  }
}

export async function changeSubject(access: GroupAccess, jid: string, subject: string): Promise<void> {
  const content = { tag: 'subject', attrs: {}, content: Buffer.from(subject, 'utf8') };
  await change(access, { jid, content, what: 'change the subject' });
}

/** An empty description removes it. WhatsApp takes a new one only together with the id of the one that it replaces. */
export async function changeDescription(access: GroupAccess, jid: string, text: string): Promise<void> {
  const { descriptionId } = await fetchGroup(access, jid);
  const previous = descriptionId === null ? {} : { prev: descriptionId };
  const content: BinaryNode =
    text === ''
      ? { tag: 'description', attrs: { delete: 'true', ...previous } }
      : {
          tag: 'description',
          attrs: { id: newId(), ...previous },
          content: [{ tag: 'body', attrs: {}, content: Buffer.from(text, 'utf8') }],
        };
  await change(access, { jid, content, what: 'change the description' });
}

/** One setting by the node that WhatsApp knows it by. */
export type GroupSettingChange =
  | { readonly tag: 'announce' | 'locked' | 'join_approval'; readonly isOn: boolean }
  | { readonly tag: 'member_add'; readonly everybody: boolean }
  | { readonly tag: 'ephemeral'; readonly seconds: number };

export async function changeSetting(access: GroupAccess, jid: string, setting: GroupSettingChange): Promise<void> {
  await change(access, { jid, content: settingNode(setting), what: `change the setting ${setting.tag}` });
}

/** Makes a new invite code; the old one leads nowhere any more. */
export async function renewInvite(access: GroupAccess, jid: string): Promise<string> {
  const what = 'revoke the invite link';
  const answer = await change(access, { jid, content: node('invite'), what });
  return requiredChild(answer, 'invite', what).attrs['code'] ?? '';
}

/** Joins by an invite code; `joined` is false when an admin has to approve. Whoever is a member already has joined. */
export async function joinByCode(
  { sock, groups }: GroupAccess,
  code: string,
): Promise<{ readonly jid: string; readonly joined: boolean }> {
  const what = 'join the group';
  try {
    const answer = await askGroups(sock, { to: '@g.us', type: 'set', content: [node('invite', { code })], what });
    const joined = getBinaryNodeChild(answer, 'group')?.attrs['jid'];
    const jid = joined ?? requiredChild(answer, 'membership_approval_request', what).attrs['jid'] ?? '';
    groups.forget(jid);
    return { jid, joined: joined !== undefined };
  } catch (error) {
    const failure = inviteFailure(error, what);
    const isMember = failure.details?.some(({ field, received }) => field === 'whatsapp_code' && received === '409');
    if (isMember !== true) throw failure;
    const { jid } = await fetchInvited(sock, code);
    return { jid, joined: true };
  }
}

export type ParticipantAction = 'add' | 'remove' | 'promote' | 'demote';

/** Answers what WhatsApp said about each; `ids` in a form that the group knows. */
export async function changeParticipants(
  access: GroupAccess,
  request: { readonly jid: string; readonly action: ParticipantAction; readonly ids: readonly string[] },
): Promise<readonly PersonOutcome[]> {
  const { jid, action, ids } = request;
  const what = `${action} participants`;
  const content = { tag: action, attrs: {}, content: participantNodes(ids) };
  const answer = await change(access, { jid, content, what });
  return outcomes(access.sock, getBinaryNodeChild(answer, action));
}

export async function answerRequests(
  access: GroupAccess,
  request: { readonly jid: string; readonly verdict: 'approve' | 'reject'; readonly ids: readonly string[] },
): Promise<readonly PersonOutcome[]> {
  const { jid, verdict, ids } = request;
  const tag = 'membership_requests_action';
  const content = { tag, attrs: {}, content: [{ tag: verdict, attrs: {}, content: participantNodes(ids) }] };
  const answer = await change(access, { jid, content, what: `${verdict} requests` });
  return outcomes(access.sock, getBinaryNodeChild(getBinaryNodeChild(answer, tag), verdict));
}

/** Sets a JPEG as the group's picture; null removes it. */
export async function changePicture(access: GroupAccess, jid: string, jpeg: Uint8Array | null): Promise<void> {
  const { sock } = access;
  const what = 'change the picture';
  try {
    const answer: unknown = await sock.query({
      tag: 'iq',
      attrs: { to: S_WHATSAPP_NET, type: 'set', xmlns: 'w:profile:picture', target: jid },
      ...(jpeg === null ? {} : { content: [{ tag: 'picture', attrs: { type: 'image' }, content: jpeg }] }),
    });
    answered(answer, what);
  } catch (error) {
    throw await explained(access, jid, changeFailure(error, what));
  }
}

interface Change {
  readonly jid: string;
  readonly content: BinaryNode;
  readonly what: string;
}

async function change(access: GroupAccess, { jid, content, what }: Change): Promise<BinaryNode> {
  try {
    return await askGroups(access.sock, { to: jid, type: 'set', content: [content], what });
  } catch (error) {
    throw await explained(access, jid, changeFailure(error, what));
  } finally {
    access.groups.forget(jid);
  }
}

async function outcomes(sock: WASocket, echo: BinaryNode | undefined): Promise<readonly PersonOutcome[]> {
  const found = getBinaryNodeChildren(echo, 'participant').map((each) => readOutcome(each));
  await learn(sock, found);
  return completed(sock, found);
}

function settingNode(setting: GroupSettingChange): BinaryNode {
  switch (setting.tag) {
    case 'announce':
      return node(setting.isOn ? 'announcement' : 'not_announcement');
    case 'locked':
      return node(setting.isOn ? 'locked' : 'unlocked');
    case 'join_approval': {
      const state = setting.isOn ? 'on' : 'off';
      return { tag: 'membership_approval_mode', attrs: {}, content: [node('group_join', { state })] };
    }
    case 'member_add': {
      const mode = setting.everybody ? 'all_member_add' : 'admin_add';
      return { tag: 'member_add_mode', attrs: {}, content: Buffer.from(mode, 'utf8') };
    }
    case 'ephemeral':
      return setting.seconds === 0 ? node('not_ephemeral') : node('ephemeral', { expiration: String(setting.seconds) });
    default:
      return assertNever(setting);
  }
}

function participantNodes(ids: readonly string[]): BinaryNode[] {
  return ids.map((jid) => node('participant', { jid }));
}

/** As WhatsApp Web names what it creates. */
function newId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}
