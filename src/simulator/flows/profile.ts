/** Pictures and "about" texts, asked for and set by sessions. */
import { mayEdit, memberOf } from '../groups/rules.ts';
import type { Portraits } from '../portraits.ts';
import type { Group, Groups } from '../state/groups.ts';
import type { Profiles } from '../state/profiles.ts';
import type { BinaryNode, Connection, Flow, SimulatorContext, User } from '../types.ts';
import { bytesOf, child, element, iqError, iqResult, isIq, textOf } from '../wire/node.ts';

export interface ProfileFlowParts {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly profiles: Profiles;
  readonly portraits: Portraits;
}

export function pictureFlow(parts: ProfileFlowParts): Flow {
  return {
    name: 'pictures',
    handles: (node) => isIq(node, 'w:profile:picture'),
    async handle(node, connection) {
      const answer = node.attrs['type'] === 'set' ? setPicture : getPicture;
      connection.send(answer(parts, node, connection));
    },
  };
}

function getPicture({ context, groups, portraits }: ProfileFlowParts, node: BinaryNode, { device }: Connection) {
  const subject = subjectOf({ context, groups }, node, device.user);
  if (subject === undefined) return iqError(node, 404, 'item-not-found');
  if (!portraits.isVisible(subject, device.user)) return iqError(node, 401, 'not-authorized');
  const picture = portraits.of(subject);
  if (picture === undefined) return iqError(node, 404, 'item-not-found');
  const type = child(node, 'picture')?.attrs['type'] ?? 'image';
  const attrs = { id: picture.id, type, url: portraits.url(picture), direct_path: `/pictures/${picture.file}` };
  return iqResult(node, [element('picture', attrs)]);
}

function setPicture({ context, groups, portraits }: ProfileFlowParts, node: BinaryNode, { device }: Connection) {
  const subject = subjectOf({ context, groups }, node, device.user);
  if (subject === undefined) return iqError(node, 404, 'item-not-found');
  const isAllowed = 'pn' in subject ? subject === device.user : mayEdit(subject, device.user.lid);
  if (!isAllowed) return iqError(node, 403, 'forbidden');
  const bytes = bytesOf(child(node, 'picture'));
  if (bytes.length === 0) {
    portraits.remove(subject, device.user);
    return iqResult(node);
  }
  const { id } = portraits.set(subject, device.user, bytes);
  return iqResult(node, [element('picture', { id })]);
}

/** Whose picture: the target's, without one the account's own. */
function subjectOf(
  { context, groups }: Pick<ProfileFlowParts, 'context' | 'groups'>,
  node: BinaryNode,
  own: User,
): User | Group | undefined {
  const target = node.attrs['target'];
  if (target === undefined) return own;
  const group = groups.byJid(target);
  if (group !== undefined) return memberOf(group, own.lid) === undefined ? undefined : group;
  const user = context.directory.byJid(target);
  return user?.registered === true ? user : undefined;
}

/** The "about" text is set here; it is asked for by usync. */
export function aboutFlow({ context, profiles }: ProfileFlowParts): Flow {
  return {
    name: 'about',
    handles: (node) => isIq(node, 'status', 'set'),
    async handle(node, connection) {
      const about = textOf(child(node, 'status'));
      profiles.change(connection.device.user, { about, aboutAt: Math.floor(context.clock.now() / 1000) });
      connection.send(iqResult(node));
    },
  };
}
