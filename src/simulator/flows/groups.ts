/** What sessions ask and want of groups: the namespace `w:g2`. */
import { resultNodes, groupNode, requestNodes } from '../groups/group-stanzas.ts';
import { freshCode, type GroupDesk } from '../groups/group-desk.ts';
import type { ParticipantResult } from '../groups/outcome.ts';
import { type GroupAction, isAdmin, memberOf } from '../groups/rules.ts';
import type { Group, Groups } from '../state/groups.ts';
import type { BinaryNode, Flow, SimulatorContext, User } from '../types.ts';
import { child, children, element, iqError, iqResult, isIq, textOf } from '../wire/node.ts';

export interface GroupFlowParts {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly desk: GroupDesk;
}

interface Request {
  readonly node: BinaryNode;
  /** The first child, which says what is wanted. */
  readonly wish: BinaryNode;
  readonly user: User;
}

type Answer = (request: Request) => BinaryNode;
type GroupAnswer = (request: Request, group: Group) => BinaryNode;

export function groupFlow(parts: GroupFlowParts): Flow {
  const ofAll = answersOfAll(parts);
  const ofOne = answersOfOne(parts);
  const answerTo = (node: BinaryNode): Answer | undefined => {
    const wish = `${node.attrs['type'] ?? ''} ${child(node)?.tag ?? ''}`;
    if (!isIq(node, 'w:g2')) return undefined;
    if (node.attrs['to'] === '@g.us') return ofAll[wish];
    const answer = ofOne[wish];
    return answer && ((request) => forGroup(parts, request, answer));
  };
  return {
    name: 'groups',
    handles: (node) => answerTo(node) !== undefined,
    async handle(node, connection) {
      const wish = child(node);
      const answer = answerTo(node);
      if (wish === undefined || answer === undefined) return;
      connection.send(answer({ node, wish, user: connection.device.user }));
    },
  };
}

function forGroup({ groups }: GroupFlowParts, request: Request, answer: GroupAnswer): BinaryNode {
  const group = groups.byJid(request.node.attrs['to'] ?? '');
  return group === undefined ? iqError(request.node, 404, 'item-not-found') : answer(request, group);
}

/** Queries to `@g.us`. */
function answersOfAll({ context, groups, desk }: GroupFlowParts): Readonly<Record<string, Answer>> {
  const { directory } = context;
  return {
    'get participating': ({ node, wish, user }) => {
      const nodes = groups.ofMember(user.lid).map((group) =>
        groupNode(directory, group, {
          hasDescription: child(wish, 'description') !== undefined,
          participants: child(wish, 'participants') === undefined ? [] : group.members,
        }),
      );
      return iqResult(node, [element('groups', {}, nodes)]);
    },
    'set create': ({ node, wish, user }) => {
      const { group, results } = desk.create({
        subject: wish.attrs['subject'] ?? '',
        creator: user,
        participants: jidsOf(wish),
        addressing: 'lid',
        key: wish.attrs['key'],
      });
      const whole = groupNode(directory, group);
      const failed = resultNodes(
        directory,
        group,
        results.filter(({ error }) => error !== null),
      );
      return iqResult(node, [{ ...whole, content: [...children(whole), ...failed] }]);
    },
    'set leave': ({ node, wish, user }) => {
      const jids = children(wish, 'group').map(({ attrs }) => attrs['id'] ?? '');
      for (const jid of jids) {
        const group = groups.byJid(jid);
        if (group === undefined) return iqError(node, 404, 'item-not-found');
        const outcome = desk.act(user, group, { tag: 'leave' });
        if (outcome.tag === 'refused') return iqError(node, outcome.code, outcome.text);
      }
      return iqResult(node, [
        element(
          'leave',
          {},
          jids.map((id) => element('group', { id })),
        ),
      ]);
    },
    'get invite': ({ node, wish }) => {
      const code = wish.attrs['code'] ?? '';
      const group = groups.byCode(code);
      if (group === undefined) return iqError(node, 404, 'item-not-found');
      if (group.inviteCode !== code) return iqError(node, 410, 'gone');
      // Strangers see who leads the group, and how many are in it.
      const participants = group.members.filter(({ lid }) => isAdmin(group, lid));
      return iqResult(node, [groupNode(directory, group, { hasDescription: true, participants })]);
    },
    'set invite': ({ node, wish, user }) => {
      const code = wish.attrs['code'] ?? '';
      const group = groups.byCode(code);
      if (group === undefined) return iqError(node, 404, 'item-not-found');
      const outcome = desk.act(user, group, { tag: 'join', code });
      if (outcome.tag === 'refused') return iqError(node, outcome.code, outcome.text);
      const isMember = memberOf(outcome.group, user.lid) !== undefined;
      const { jid } = group;
      return iqResult(node, [element(isMember ? 'group' : 'membership_approval_request', { jid })]);
    },
  };
}

/** Queries to a group. */
function answersOfOne({ context, desk }: GroupFlowParts): Readonly<Record<string, GroupAnswer>> {
  const { directory } = context;

  const byMember =
    (answer: GroupAnswer): GroupAnswer =>
    (request, group) =>
      memberOf(group, request.user.lid) === undefined
        ? iqError(request.node, 403, 'forbidden')
        : answer(request, group);
  const byAdmin = (answer: GroupAnswer): GroupAnswer =>
    byMember((request, group) =>
      isAdmin(group, request.user.lid) ? answer(request, group) : iqError(request.node, 403, 'forbidden'),
    );
  /** An action; `content` says what stands in the result. */
  const action =
    (
      of: (request: Request) => GroupAction,
      content: (results: readonly ParticipantResult[], group: Group, request: Request) => BinaryNode[] = () => [],
    ): GroupAnswer =>
    (request, group) => {
      const outcome = desk.act(request.user, group, of(request));
      return outcome.tag === 'refused'
        ? iqError(request.node, outcome.code, outcome.text)
        : iqResult(request.node, content(outcome.results, outcome.group, request));
    };
  const people = ({ user, wish }: Request) => desk.candidates(user, jidsOf(wish));
  const ofPeople = (tag: 'add' | 'remove' | 'promote' | 'demote') =>
    action(
      (request) => ({ tag, people: people(request) }),
      (results, group) => [element(tag, {}, resultNodes(directory, group, results))],
    );
  const invite = (group: Group) => [element('invite', { code: group.inviteCode })];

  return {
    'get query': byMember(({ node }, group) => iqResult(node, [groupNode(directory, group)])),
    'set add': ofPeople('add'),
    'set remove': ofPeople('remove'),
    'set promote': ofPeople('promote'),
    'set demote': ofPeople('demote'),
    'set subject': action(({ wish }) => ({ tag: 'subject', subject: textOf(wish) })),
    'set description': action(({ wish }) => {
      const text = wish.attrs['delete'] === 'true' ? null : textOf(child(wish, 'body'));
      return { tag: 'description', id: wish.attrs['id'] ?? freshCode(), text };
    }),
    'get invite': byAdmin(({ node }, group) => iqResult(node, invite(group))),
    'set invite': action(
      () => ({ tag: 'new_invite', code: freshCode() }),
      (_results, group) => invite(group),
    ),
    'set accept': action(({ wish }) => ({ tag: 'join_personally', code: wish.attrs['code'] ?? '' })),
    'set revoke': action((request) => ({ tag: 'withdraw_invites', people: people(request) })),
    'set announcement': action(() => ({ tag: 'announcement', isOn: true })),
    'set not_announcement': action(() => ({ tag: 'announcement', isOn: false })),
    'set locked': action(() => ({ tag: 'locked', isOn: true })),
    'set unlocked': action(() => ({ tag: 'locked', isOn: false })),
    'set ephemeral': action(({ wish }) => ({ tag: 'ephemeral', seconds: Number(wish.attrs['expiration']) || 0 })),
    'set not_ephemeral': action(() => ({ tag: 'ephemeral', seconds: 0 })),
    'set member_add_mode': action(({ wish }) => ({ tag: 'all_may_add', isOn: textOf(wish) === 'all_member_add' })),
    'set membership_approval_mode': action(({ wish }) => {
      return { tag: 'approval', isOn: child(wish, 'group_join')?.attrs['state'] === 'on' };
    }),
    'get membership_approval_requests': byAdmin(({ node }, group) => iqResult(node, [requestNodes(directory, group)])),
    'set membership_requests_action': (request, group) => {
      const verdict = child(request.wish);
      const tag = verdict?.tag === 'approve' ? 'approve' : 'reject';
      const decision = action(
        ({ user }) => ({ tag, people: desk.candidates(user, jidsOf(verdict)) }),
        (results, after) => [
          element('membership_requests_action', {}, [element(tag, {}, resultNodes(directory, after, results))]),
        ],
      );
      return decision(request, group);
    },
  };
}

function jidsOf(node: BinaryNode | undefined): readonly string[] {
  return children(node, 'participant').map(({ attrs }) => attrs['jid'] ?? '');
}
