/** What WhatsApp notifies of a group, read from its stanza. Pure. */
import {
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getBinaryNodeChildString,
  type BinaryNode,
} from '@whiskeysockets/baileys';
import { isSamePerson, readGroup, readParticipant, readPerson, wholeNumber, type Person } from './group-facts.ts';

export type GroupSetting =
  | 'subject'
  | 'description'
  | 'picture'
  | 'announce'
  | 'locked'
  | 'ephemeral'
  | 'invite'
  | 'join_approval'
  | 'member_add'
  | 'created';

export type GroupChange =
  | { readonly tag: 'setting'; readonly setting: GroupSetting; readonly value: string | null }
  | {
      readonly tag: 'participants';
      readonly action: 'add' | 'remove' | 'leave' | 'promote' | 'demote';
      readonly people: readonly Person[];
    }
  | {
      readonly tag: 'requests';
      readonly action: 'created' | 'revoked' | 'rejected';
      readonly people: readonly Person[];
    };

export interface GroupNotice {
  readonly group: string;
  /** WhatsApp's id of the notification. */
  readonly id: string;
  /** Unix seconds; null when the stanza has no time. */
  readonly at: number | null;
  readonly by: Person;
  readonly changes: readonly GroupChange[];
}

/** Whether a notification is about a group; its content may still be nothing that is told. */
export function isGroupNotice({ attrs }: BinaryNode): boolean {
  const isOfGroup = attrs['from']?.endsWith('@g.us') === true;
  return isOfGroup && (attrs['type'] === 'w:gp2' || attrs['type'] === 'picture');
}

/**
 * Reads a `<notification type="w:gp2|picture">`. The library tells only the first change of a stanza, loses whoever did
 * it, and drops all but the first update of a group in one flush of its buffer; hence the stanza itself. `own` is the
 * account, who is told of a group that it was added to by the whole group.
 */
export function readGroupNotice(node: BinaryNode, own: Person): GroupNotice {
  const { attrs } = node;
  const by = readPerson([attrs['participant'], attrs['participant_pn'], attrs['participant_lid']]);
  const children = getAllBinaryNodeChildren(node);
  const author = children.find((child) => child.attrs['author'] !== undefined)?.attrs['author'];
  return {
    group: attrs['from'] ?? '',
    id: attrs['id'] ?? '',
    at: wholeNumber(attrs['t']),
    by: by.pn === null && by.lid === null ? readPerson([author]) : by,
    changes: children.flatMap((child) =>
      attrs['type'] === 'picture' ? readPictureChange(child) : readChange(child, by, own),
    ),
  };
}

function readPictureChange({ tag, attrs }: BinaryNode): readonly GroupChange[] {
  if (tag === 'set') return [setting('picture', attrs['id'] ?? null)];
  return tag === 'delete' ? [setting('picture', null)] : [];
}

function readChange(child: BinaryNode, by: Person, own: Person): readonly GroupChange[] {
  const { tag, attrs } = child;
  switch (tag) {
    case 'create':
      return [readCreation(child, own)];
    case 'add':
    case 'promote':
    case 'demote':
      return [{ tag: 'participants', action: tag, people: peopleIn(child) }];
    case 'remove':
    case 'leave': {
      const people = peopleIn(child);
      const [only] = people;
      const isOwnWish = people.length === 1 && only !== undefined && isSamePerson(only, by);
      return [{ tag: 'participants', action: tag === 'leave' || isOwnWish ? 'leave' : 'remove', people }];
    }
    case 'subject':
      return [setting('subject', attrs['subject'] ?? null)];
    case 'description':
      return [setting('description', getBinaryNodeChildString(child, 'body') ?? null)];
    case 'announcement':
    case 'not_announcement':
      return [setting('announce', onOff(tag === 'announcement'))];
    case 'locked':
    case 'unlocked':
      return [setting('locked', onOff(tag === 'locked'))];
    case 'ephemeral':
      return [setting('ephemeral', attrs['expiration'] ?? '0')];
    case 'not_ephemeral':
      return [setting('ephemeral', '0')];
    case 'invite':
      return [setting('invite', attrs['code'] ?? null)];
    case 'member_add_mode':
      return [setting('member_add', textOf(child) === 'all_member_add' ? 'all' : 'admins')];
    case 'membership_approval_mode':
      return [setting('join_approval', onOff(getBinaryNodeChild(child, 'group_join')?.attrs['state'] === 'on'))];
    case 'created_membership_requests':
      return [{ tag: 'requests', action: 'created', people: orElse(peopleIn(child), by) }];
    case 'revoked_membership_requests':
      return readEndedRequests(orElse(peopleIn(child), by), by);
    default:
      return [];
  }
}

/** Whoever is added to a group that exists is told the whole group; `type="new"` says that it was founded. */
function readCreation(child: BinaryNode, own: Person): GroupChange {
  const group = getBinaryNodeChild(child, 'group');
  if (child.attrs['type'] === 'new' || group === undefined) {
    return setting('created', group === undefined ? null : readGroup(group).subject);
  }
  return { tag: 'participants', action: 'add', people: [own] };
}

/** A request that its author ends was revoked, one that somebody else ends was rejected. */
function readEndedRequests(people: readonly Person[], by: Person): readonly GroupChange[] {
  const revoked = people.filter((person) => isSamePerson(person, by));
  const rejected = people.filter((person) => !isSamePerson(person, by));
  return [
    ...(revoked.length === 0 ? [] : [{ tag: 'requests', action: 'revoked', people: revoked } as const]),
    ...(rejected.length === 0 ? [] : [{ tag: 'requests', action: 'rejected', people: rejected } as const]),
  ];
}

function peopleIn(node: BinaryNode): readonly Person[] {
  return ['participant', 'requested_user'].flatMap((tag) =>
    getBinaryNodeChildren(node, tag).map((each) => readParticipant(each)),
  );
}

function orElse(people: readonly Person[], by: Person): readonly Person[] {
  return people.length === 0 ? [by] : people;
}

function setting(name: GroupSetting, value: string | null): GroupChange {
  return { tag: 'setting', setting: name, value };
}

function onOff(isOn: boolean): string {
  return isOn ? 'on' : 'off';
}

function textOf({ content }: BinaryNode): string {
  if (typeof content === 'string') return content;
  return content instanceof Uint8Array ? Buffer.from(content).toString('utf8') : '';
}
