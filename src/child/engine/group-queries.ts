/** What can be asked of WhatsApp about groups: the namespace `w:g2`. A time-out is an error and never an empty answer. */
import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type BinaryNode,
  type GroupMetadata,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { WardenError } from '../../contract/errors.ts';
import { trusted } from '../../contract/trusted.ts';
import { answered, normaliseFailure } from './failures.ts';
import type { GroupCache } from './group-cache.ts';
import { readGroup, readParticipant, wholeNumber, type GroupFacts, type Person } from './group-facts.ts';
import { changeFailure, inviteFailure, lookupFailure } from './group-failures.ts';
import { completed, learn } from './group-people.ts';

const serverOfGroups = '@g.us';

/** An open link and what is known of groups on it. */
export interface GroupAccess {
  readonly sock: WASocket;
  readonly groups: GroupCache;
}

interface GroupQuery {
  readonly to: string;
  readonly type: 'get' | 'set';
  readonly content: BinaryNode[];
  /** Names the attempt in errors. */
  readonly what: string;
}

/** Asks and answers the whole `<iq>`. Rejects as the library does, and with `whatsapp_timeout` without an answer. */
export async function askGroups(sock: WASocket, { to, type, content, what }: GroupQuery): Promise<BinaryNode> {
  const query = { tag: 'iq', attrs: { type, xmlns: 'w:g2', to }, content };
  // The library declares no type for what is a node, or nothing after a time-out.
  return answered(trusted<BinaryNode | undefined>(await sock.query(query)), what);
}

/** A group whose member the account is. Throws `group_not_found`. */
export async function fetchGroup({ sock, groups }: GroupAccess, jid: string): Promise<GroupFacts> {
  const what = 'look up the group';
  const askedAt = groups.version;
  try {
    const content = [{ tag: 'query', attrs: { request: 'interactive' } }];
    const answer = await askGroups(sock, { to: jid, type: 'get', content, what });
    const group = readGroup(requiredChild(answer, 'group', what));
    await learn(sock, [...group.members, group.owner]);
    const complete = await withNumbers(sock, group);
    groups.put(complete, askedAt);
    return complete;
  } catch (error) {
    throw lookupFailure(error, what);
  }
}

/** The group as it is known, or as WhatsApp describes it. */
export async function knownGroup(access: GroupAccess, jid: string): Promise<GroupFacts> {
  return access.groups.get(jid) ?? fetchGroup(access, jid);
}

/** All groups of the account, in the order of their addresses. Nothing of it is kept: it may be tens of thousands. */
export async function fetchGroups(sock: WASocket): Promise<readonly GroupFacts[]> {
  const what = 'list the groups';
  try {
    const content = [{ tag: 'participating', attrs: {}, content: [node('participants'), node('description')] }];
    const answer = await askGroups(sock, { to: serverOfGroups, type: 'get', content, what });
    const groups = getBinaryNodeChildren(requiredChild(answer, 'groups', what), 'group').map((each) => readGroup(each));
    const complete = await Promise.all(groups.map((group) => withNumbers(sock, group)));
    return complete.toSorted((one, other) => (one.jid < other.jid ? -1 : 1));
  } catch (error) {
    throw normaliseFailure(error, what);
  }
}

/** What strangers may see of the group behind an invite code. Throws `group_not_found`. */
export async function fetchInvited(sock: WASocket, code: string): Promise<GroupFacts> {
  const what = 'look up the invite';
  try {
    const content = [{ tag: 'invite', attrs: { code } }];
    const answer = await askGroups(sock, { to: serverOfGroups, type: 'get', content, what });
    return readGroup(requiredChild(answer, 'group', what));
  } catch (error) {
    throw inviteFailure(error, what);
  }
}

export async function fetchInviteCode(access: GroupAccess, jid: string): Promise<string> {
  const what = 'get the invite link';
  try {
    const answer = await askGroups(access.sock, { to: jid, type: 'get', content: [node('invite')], what });
    return requiredChild(answer, 'invite', what).attrs['code'] ?? '';
  } catch (error) {
    throw await explained(access, jid, changeFailure(error, what));
  }
}

export interface JoinRequest extends Person {
  /** Unix seconds. */
  readonly requestedAt: number | null;
}

export async function fetchJoinRequests(access: GroupAccess, jid: string): Promise<readonly JoinRequest[]> {
  const what = 'list the requests';
  const { sock } = access;
  try {
    const content = [node('membership_approval_requests')];
    const answer = await askGroups(sock, { to: jid, type: 'get', content, what });
    const requests = getBinaryNodeChildren(
      requiredChild(answer, 'membership_approval_requests', what),
      'membership_approval_request',
    ).map((each) => ({ ...readParticipant(each), requestedAt: wholeNumber(each.attrs['request_time']) }));
    await learn(sock, requests);
    return await completed(sock, requests);
  } catch (error) {
    throw await explained(access, jid, changeFailure(error, what));
  }
}

/** WhatsApp refuses strangers and members alike; whether the group can be looked up tells them apart. */
export async function explained(access: GroupAccess, jid: string, failure: WardenError): Promise<Error> {
  if (failure.code !== 'not_a_group_admin') return failure;
  return fetchGroup(access, jid).then(
    () => failure,
    (lookup: unknown) => (lookup instanceof Error ? lookup : failure),
  );
}

/**
 * What a send to the group needs: its members and their devices, so that the send itself asks nobody. A lookup that is
 * answered only after the query's time-out was not answered. Throws `group_not_found` or `whatsapp_timeout`.
 */
export async function prepareGroupSend(
  access: GroupAccess,
  { jid, queryTimeoutMs }: { readonly jid: string; readonly queryTimeoutMs: number },
): Promise<GroupFacts> {
  const what = "look up the members' devices";
  const group = await knownGroup(access, jid);
  const startedAt = performance.now();
  try {
    await access.sock.getUSyncDevices(
      group.members.map(({ id }) => id),
      true,
      false,
    );
  } catch (error) {
    throw normaliseFailure(error, what);
  }
  if (performance.now() - startedAt >= queryTimeoutMs) answered(undefined, what);
  return group;
}

/** The library's view of a group: it reads the members' addresses, the addressing and the life of messages only. */
export function libraryMetadata(group: GroupFacts): GroupMetadata {
  return trusted<GroupMetadata>({
    id: group.jid,
    subject: group.subject,
    addressingMode: group.addressing,
    participants: group.members.map(({ id }) => ({ id })),
    ...(group.ephemeralSeconds === 0 ? {} : { ephemeralDuration: group.ephemeralSeconds }),
  });
}

/** Members and owner with the numbers that are known from elsewhere. */
export async function withNumbers(sock: WASocket, group: GroupFacts): Promise<GroupFacts> {
  const [members, [owner = group.owner], notAdded] = await Promise.all([
    completed(sock, group.members),
    completed(sock, [group.owner]),
    completed(sock, group.notAdded),
  ]);
  return { ...group, members, owner, notAdded };
}

/** The child of an answer that makes it one. */
export function requiredChild(answer: BinaryNode, tag: string, what: string): BinaryNode {
  const child = getBinaryNodeChild(answer, tag);
  if (child === undefined) throw new Error(`the answer to "${what}" has no <${tag}>`);
  return child;
}

export function node(tag: string, attrs: Record<string, string> = {}): BinaryNode {
  return { tag, attrs };
}
