/**
 * Reads the stanzas in which WhatsApp tells of people: presence, chat states, calls, changed pictures and about texts.
 * Read by ourselves, since the library tells `paused` as available and merges what comes close together. Pure.
 */
import {
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  isJidGroup,
  isLidUser,
  isPnUser,
  jidNormalizedUser,
  type BinaryNode,
} from '@whiskeysockets/baileys';
import type { SeenCall } from '../events/calls.ts';
import type { SeenChatState, SeenPresence } from '../events/presence.ts';

/** Addresses are as WhatsApp gave them, devices stripped. */
export type PeopleStanza =
  | ({ readonly tag: 'presence' } & SeenPresence)
  | ({ readonly tag: 'chat_state' } & SeenChatState)
  | ({
      readonly tag: 'call';
      /** The caller's number when WhatsApp tells it beside the LID. */
      readonly fromPn: string | null;
    } & SeenCall)
  | {
      readonly tag: 'picture';
      readonly jid: string;
      readonly id: string;
      readonly at: number;
      readonly picture: 'changed' | 'removed';
    }
  /** `about` is null when WhatsApp says only that it has changed. */
  | {
      readonly tag: 'about';
      readonly jid: string;
      readonly id: string;
      readonly at: number;
      readonly about: string | null;
    };

/** Null for what tells nothing of people; `now` in unix milliseconds stands in for stanzas without a time. */
export function readPeopleStanza(node: BinaryNode, now: number): PeopleStanza | null {
  switch (node.tag) {
    case 'presence':
      return presenceOf(node);
    case 'chatstate':
      return chatStateOf(node);
    case 'call':
      return callOf(node, now);
    case 'notification':
      return changeOf(node, now);
    default:
      return null;
  }
}

function presenceOf({ attrs }: BinaryNode): PeopleStanza | null {
  const jid = personOf(attrs['from']);
  if (jid === null) return null;
  const { last, type } = attrs;
  const lastSeen = Number(last);
  return {
    tag: 'presence',
    jid,
    status: type === 'unavailable' ? 'unavailable' : 'available',
    lastSeen: last !== undefined && lastSeen > 0 ? lastSeen : null,
  };
}

function chatStateOf(node: BinaryNode): PeopleStanza | null {
  const chat = jidNormalizedUser(node.attrs['from'] ?? '');
  const from = personOf(node.attrs['participant'] ?? node.attrs['from']);
  const [child] = getAllBinaryNodeChildren(node);
  const state = child === undefined ? null : stateOf(child);
  return from === null || state === null ? null : { tag: 'chat_state', chat, from, state };
}

function stateOf({ tag, attrs }: BinaryNode): SeenChatState['state'] | null {
  if (tag === 'paused') return 'paused';
  if (tag !== 'composing' && tag !== 'recording') return null;
  return tag === 'recording' || attrs['media'] === 'audio' ? 'recording' : 'composing';
}

function callOf(node: BinaryNode, now: number): PeopleStanza | null {
  const [info] = getAllBinaryNodeChildren(node);
  const status = info === undefined ? null : callStatusOf(info);
  const callId = info?.attrs['call-id'];
  // The creator is the caller, whoever changes the call.
  const from = personOf(info?.attrs['call-creator'] ?? info?.attrs['from'] ?? node.attrs['from']);
  if (info === undefined || status === null || callId === undefined || from === null) return null;
  return {
    tag: 'call',
    callId,
    from,
    fromPn: personOf(info.attrs['caller_pn']),
    status,
    isVideo: getBinaryNodeChild(info, 'video') !== undefined,
    isGroup: info.attrs['type'] === 'group' || info.attrs['group-jid'] !== undefined,
    timestamp: Number(node.attrs['t']) || Math.floor(now / 1000),
  };
}

/** Null for what is about the connection of a call only. */
function callStatusOf({ tag, attrs }: BinaryNode): SeenCall['status'] | null {
  switch (tag) {
    case 'offer':
    case 'offer_notice':
      return 'offer';
    case 'preaccept':
    case 'ringing':
      return 'ringing';
    case 'accept':
    case 'reject':
      return tag;
    case 'terminate':
      return attrs['reason'] === 'timeout' ? 'timeout' : 'terminate';
    default:
      return null;
  }
}

function changeOf(node: BinaryNode, now: number): PeopleStanza | null {
  const { type, id, t, from } = node.attrs;
  const jid = personOf(from);
  if (jid === null || id === undefined) return null;
  const subject = { jid, id, at: Number(t) > 0 ? Number(t) * 1000 : now };
  const set = getBinaryNodeChild(node, 'set');
  const isRemoved = getBinaryNodeChild(node, 'delete') !== undefined;
  if (type === 'picture' && (set !== undefined || isRemoved)) {
    return { tag: 'picture', ...subject, picture: set === undefined ? 'removed' : 'changed' };
  }
  return type === 'status' ? { tag: 'about', ...subject, about: textOf(set) } : null;
}

function textOf(part: BinaryNode | undefined): string | null {
  const content = part?.content;
  if (typeof content === 'string') return content;
  return content instanceof Uint8Array ? new TextDecoder().decode(content) : null;
}

/** A person's address without device; null for groups, servers and what is absent. */
function personOf(jid: string | undefined): string | null {
  if (jid === undefined || isJidGroup(jid) === true) return null;
  const normalized = jidNormalizedUser(jid);
  return isPnUser(normalized) === true || isLidUser(normalized) === true ? normalized : null;
}
