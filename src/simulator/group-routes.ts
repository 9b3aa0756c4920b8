/** The control routes about groups: founded for an account, changed by simulated people, looked at. */
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { assertNever } from '../contract/assert-never.ts';
import { knownGroup } from './group-access.ts';
import { freshCode, type GroupDesk } from './groups/group-desk.ts';
import { addressIn } from './groups/group-stanzas.ts';
import { mayEdit } from './groups/rules.ts';
import type { ParticipantResult } from './groups/outcome.ts';
import type { GroupAction } from './groups/rules.ts';
import { lidJid, pnJid } from './jid.ts';
import { knownPerson, personOf } from './people.ts';
import type { Portraits } from './portraits.ts';
import type { Group, Groups } from './state/groups.ts';
import type { ControlAnswer, ControlRoute, SimulatorContext, User } from './types.ts';

export interface GroupRouteParts {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly desk: GroupDesk;
  readonly portraits: Portraits;
}

const createBody = z.strictObject({
  subject: z.string().trim().min(1).max(100),
  participants: z.array(z.string()).max(1023).default([]),
  addressing: z.enum(['lid', 'pn']).default('lid'),
  /** `account`: founded by the account; otherwise by this person, who makes the account an admin. */
  creator: z.string().default('account'),
});

const by = z.string();
const participants = z.array(z.string()).min(1).max(1023);
const isOn = z.boolean();
const actionBody = z.discriminatedUnion('action', [
  z.strictObject({
    by,
    action: z.enum(['add', 'remove', 'promote', 'demote', 'approve', 'reject']),
    participants,
  }),
  z.strictObject({ by, action: z.enum(['leave', 'revoke_invite', 'withdraw_request']) }),
  z.strictObject({ by, action: z.literal('subject'), value: z.string() }),
  z.strictObject({ by, action: z.literal('description'), value: z.string().nullable() }),
  z.strictObject({
    by,
    action: z.enum(['announce', 'locked', 'all_may_add', 'approval']),
    value: isOn,
  }),
  z.strictObject({ by, action: z.literal('ephemeral'), value: z.int().min(0) }),
  /** By the group's link; where admins decide, it becomes a request. */
  z.strictObject({ by, action: z.enum(['join', 'request_join']) }),
  /** A JPEG in base64. */
  z.strictObject({ by, action: z.literal('picture'), value: z.base64().nullable() }),
]);

type ActionBody = z.output<typeof actionBody>;

export function groupRoutes(parts: GroupRouteParts): readonly ControlRoute[] {
  const { context, groups } = parts;
  return [
    {
      method: 'POST',
      path: '/accounts/:phone/groups',
      handle: ({ params, body }) => create(parts, context.account(params['phone'] ?? ''), createBody.parse(body)),
    },
    {
      method: 'GET',
      path: '/accounts/:phone/groups',
      handle({ params }) {
        const own = groups.ofMember(context.account(params['phone'] ?? '').lid);
        return { status: 200, body: { groups: own.map((group) => view(parts, group)) } };
      },
    },
    {
      method: 'GET',
      path: '/groups/:jid',
      handle: ({ params }) => ({ status: 200, body: view(parts, knownGroup(groups, params['jid'] ?? '')) }),
    },
    {
      method: 'POST',
      path: '/groups/:jid/actions',
      handle: ({ params, body }) => act(parts, knownGroup(groups, params['jid'] ?? ''), actionBody.parse(body)),
    },
  ];
}

function create(parts: GroupRouteParts, account: User, body: z.output<typeof createBody>): ControlAnswer {
  const { context, desk } = parts;
  const { subject, addressing } = body;
  const creator = body.creator === 'account' ? account : personOf(context, body.creator);
  const people = new Set([account, ...body.participants.map((written) => personOf(context, written))]);
  people.delete(creator);
  const jids = [...people].map(({ lid }) => lidJid(lid));
  const { group, results } = desk.create({ subject, creator, participants: jids, addressing, key: undefined });
  if (creator !== account) {
    desk.act(creator, group, { tag: 'promote', people: desk.candidates(creator, [lidJid(account.lid)]) });
  }
  return {
    status: 201,
    body: { ...view(parts, knownGroup(parts.groups, group.jid)), results: results.map(resultView) },
  };
}

function act(parts: GroupRouteParts, group: Group, body: ActionBody): ControlAnswer {
  const { context, desk, groups, portraits } = parts;
  const actor = knownPerson(context, body.by);
  if (body.action === 'picture') {
    if (!mayEdit(group, actor.lid)) throw new WardenError('forbidden');
    if (body.value === null) portraits.remove(group, actor);
    else portraits.set(group, actor, Buffer.from(body.value, 'base64'));
    return { status: 200, body: { success: true, results: [], group: view(parts, group) } };
  }
  const outcome = desk.act(actor, group, actionOf(parts, { actor, group }, body));
  if (outcome.tag === 'refused') {
    const code = outcome.code === 403 ? 'forbidden' : 'unprocessable';
    throw new WardenError(code, { message: `WhatsApp would refuse this: ${outcome.code} ${outcome.text}.` });
  }
  const left = groups.byJid(group.jid);
  const answer = {
    success: true,
    results: outcome.results.map(resultView),
    group: left === undefined ? null : view(parts, left),
  };
  return { status: 200, body: answer };
}

function actionOf(
  { context, desk }: GroupRouteParts,
  { actor, group }: { readonly actor: User; readonly group: Group },
  body: Exclude<ActionBody, { action: 'picture' }>,
): GroupAction {
  switch (body.action) {
    case 'add':
    case 'remove':
    case 'promote':
    case 'demote':
    case 'approve':
    case 'reject': {
      const jids = body.participants.map((written) => lidJid(personOf(context, written).lid));
      return { tag: body.action, people: desk.candidates(actor, jids) };
    }
    case 'leave':
    case 'withdraw_request':
      return { tag: body.action };
    case 'revoke_invite':
      return { tag: 'new_invite', code: freshCode() };
    case 'subject':
      return { tag: 'subject', subject: body.value };
    case 'description':
      return { tag: 'description', id: freshCode(), text: body.value };
    case 'announce':
      return { tag: 'announcement', isOn: body.value };
    case 'locked':
    case 'all_may_add':
    case 'approval':
      return { tag: body.action, isOn: body.value };
    case 'ephemeral':
      return { tag: 'ephemeral', seconds: body.value };
    case 'join':
    case 'request_join':
      return { tag: 'join', code: group.inviteCode };
    default:
      return assertNever(body);
  }
}

function resultView({ asked, error, invite }: ParticipantResult) {
  return { jid: asked, error, invite_code: invite?.code ?? null };
}

function view({ context, portraits }: GroupRouteParts, group: Group) {
  const jidOf = (lid: string) => addressIn(context.directory, group.addressing, { lid });
  const picture = portraits.of(group);
  return {
    jid: group.jid,
    subject: group.subject,
    addressing: group.addressing,
    description: group.description?.text ?? null,
    owner: jidOf(group.createdBy),
    created_at: group.createdAt,
    participants: group.members.map(({ lid, role }) => {
      const pn = context.directory.byLid(lid)?.pn;
      return { jid: pn === undefined ? lidJid(lid) : pnJid(pn), lid: lidJid(lid), role };
    }),
    announce: group.isAnnouncement,
    locked: group.isLocked,
    ephemeral_seconds: group.ephemeralS,
    all_may_add: group.allMayAdd,
    approval: group.needsApproval,
    invite_code: group.inviteCode,
    requests: group.requests.map(({ lid, at, method }) => ({ jid: jidOf(lid), at, method })),
    picture_id: picture?.id ?? null,
  };
}
