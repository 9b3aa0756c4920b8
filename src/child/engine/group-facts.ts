/** Groups as WhatsApp describes them in stanzas of the namespace `w:g2`, read into our own words. Pure. */
import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getBinaryNodeChildString,
  isLidUser,
  isPnUser,
  jidNormalizedUser,
  type BinaryNode,
} from '@whiskeysockets/baileys';

/** Somebody by both addresses, as far as they are known. */
export interface Person {
  readonly pn: string | null;
  readonly lid: string | null;
}

export interface GroupMember extends Person {
  /** The address by which the group knows the member: a LID or a phone-number JID, after the group's addressing. */
  readonly id: string;
  readonly role: 'member' | 'admin' | 'superadmin';
}

/** What WhatsApp said about one person whom an action named. */
export interface PersonOutcome extends Person {
  readonly id: string;
  /** WhatsApp's code: 200, or why it was not done. */
  readonly code: string;
}

export interface GroupFacts {
  readonly jid: string;
  readonly subject: string;
  readonly description: string | null;
  readonly descriptionId: string | null;
  readonly owner: Person;
  /** Unix seconds. */
  readonly createdAt: number | null;
  readonly addressing: 'lid' | 'pn';
  readonly isAnnounce: boolean;
  readonly isLocked: boolean;
  readonly needsApproval: boolean;
  readonly allMayAdd: boolean;
  readonly ephemeralSeconds: number;
  readonly size: number;
  readonly members: readonly GroupMember[];
  /** Those whom the creation of the group named and who could not be added. */
  readonly notAdded: readonly PersonOutcome[];
}

/** Reads a `<group>` node; what it does not say gets the value that a new group has. */
export function readGroup(node: BinaryNode): GroupFacts {
  const { attrs } = node;
  const description = getBinaryNodeChild(node, 'description');
  const approval = getBinaryNodeChild(node, 'membership_approval_mode');
  const participants = getBinaryNodeChildren(node, 'participant');
  const members = participants.filter(({ attrs: { error } }) => error === undefined).map((each) => readMember(each));
  const id = attrs['id'] ?? '';
  return {
    jid: id.includes('@') ? id : `${id}@g.us`,
    subject: attrs['subject'] ?? '',
    description: getBinaryNodeChildString(description, 'body') ?? null,
    descriptionId: description?.attrs['id'] ?? null,
    owner: readPerson([attrs['creator'], attrs['creator_pn']]),
    createdAt: wholeNumber(attrs['creation']),
    addressing: attrs['addressing_mode'] === 'lid' ? 'lid' : 'pn',
    isAnnounce: getBinaryNodeChild(node, 'announcement') !== undefined,
    isLocked: getBinaryNodeChild(node, 'locked') !== undefined,
    // The node itself says nothing: it is there in groups that do not ask for approval, too.
    needsApproval: approval !== undefined && getBinaryNodeChild(approval, 'group_join')?.attrs['state'] !== 'off',
    allMayAdd: getBinaryNodeChildString(node, 'member_add_mode') === 'all_member_add',
    ephemeralSeconds: wholeNumber(getBinaryNodeChild(node, 'ephemeral')?.attrs['expiration']) ?? 0,
    size: wholeNumber(attrs['size']) ?? members.length,
    members,
    notAdded: participants.filter(({ attrs: { error } }) => error !== undefined).map((each) => readOutcome(each)),
  };
}

/** A `<participant>`, or any other node that names somebody by `jid` and `phone_number` or `lid`. */
export function readParticipant({ attrs }: BinaryNode): Person {
  return readPerson([attrs['jid'], attrs['phone_number'], attrs['lid'], attrs['pn']]);
}

/** A `<participant>` of an answer to an action. */
export function readOutcome(node: BinaryNode): PersonOutcome {
  return { ...readParticipant(node), id: normalised(node.attrs['jid']), code: node.attrs['error'] ?? '200' };
}

/** Somebody out of addresses of any form. */
export function readPerson(addresses: readonly (string | undefined)[]): Person {
  const known = addresses.flatMap((address) => (address ? [jidNormalizedUser(address)] : []));
  return {
    pn: known.find((address) => isPnUser(address) === true) ?? null,
    lid: known.find((address) => isLidUser(address) === true) ?? null,
  };
}

/** The address to tell: the phone number wherever it is known. */
export function addressOf({ pn, lid }: Person): string {
  return pn ?? lid ?? '';
}

export function isSamePerson(one: Person, other: Person): boolean {
  return (one.pn !== null && one.pn === other.pn) || (one.lid !== null && one.lid === other.lid);
}

function readMember(node: BinaryNode): GroupMember {
  const { type } = node.attrs;
  const role = type === 'admin' || type === 'superadmin' ? type : 'member';
  return { ...readParticipant(node), id: normalised(node.attrs['jid']), role };
}

function normalised(jid: string | undefined): string {
  return jid === undefined ? '' : jidNormalizedUser(jid);
}

/** A whole number from 0, or null. */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
