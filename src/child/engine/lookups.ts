/**
 * Questions about people, asked by ourselves: the library's own forms of them turn a time-out into an empty answer, and
 * drop the number that an answer is for.
 */
import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isLidUser,
  jidNormalizedUser,
  proto,
  S_WHATSAPP_NET,
  type BinaryNode,
  type WASocket,
} from '@whiskeysockets/baileys';
import { userOf } from '../../contract/ids.ts';
import { trusted } from '../../contract/trusted.ts';
import { answered, normaliseFailure } from './failures.ts';

/** What can be asked of a person: usync protocols. */
export type Question = 'contact' | 'lid' | 'devices' | 'status' | 'picture' | 'business';

export interface Answer {
  /** The JID that WhatsApp has for the person. */
  readonly jid: string;
  /** Null when it was not asked or not told. */
  readonly isRegistered: boolean | null;
  readonly lid: string | null;
  readonly devices: readonly number[];
  /** The about text; null when hidden or not asked. */
  readonly about: string | null;
  readonly pictureId: string | null;
  readonly isBusiness: boolean;
  readonly verifiedName: string | null;
}

/** WhatsApp takes more in one query, and then some accounts are rate-limited. */
const peoplePerQuery = 50;

/**
 * Asks about people (phone-number or LID JIDs) and answers in their order; null for somebody whom the answer leaves out.
 * Throws `whatsapp_timeout`, `session_not_connected`, `whatsapp_refused`.
 */
export async function lookUp(
  sock: WASocket,
  people: readonly string[],
  questions: readonly Question[],
): Promise<readonly (Answer | null)[]> {
  const answers: (Answer | null)[] = [];
  for (let start = 0; start < people.length; start += peoplePerQuery) {
    const part = people.slice(start, start + peoplePerQuery);
    const found = await ask(sock, part, questions);
    answers.push(...part.map((jid, index) => match(found, jid, index, part.length)));
    await keepMappings(sock, found);
  }
  return answers;
}

interface Found extends Answer {
  /** The number as it was asked for; null when the answer does not say. */
  readonly askedFor: string | null;
}

async function ask(
  sock: WASocket,
  people: readonly string[],
  questions: readonly Question[],
): Promise<readonly Found[]> {
  const isAboutNumbers = questions.includes('contact');
  const users = people.map((jid) =>
    isAboutNumbers && isLidUser(jid) !== true
      ? node('user', {}, [node('contact', {}, `+${userOf(jid)}`)])
      : node('user', { jid }),
  );
  const result = await queryPeople(
    sock,
    node('iq', { to: S_WHATSAPP_NET, type: 'get', xmlns: 'usync' }, [
      node(
        'usync',
        { context: 'interactive', mode: 'query', sid: sock.generateMessageTag(), last: 'true', index: '0' },
        [node('query', {}, questions.map(questionNode)), node('list', {}, users)],
      ),
    ]),
    'look up contacts',
  );
  const list = getBinaryNodeChild(getBinaryNodeChild(result, 'usync'), 'list');
  return getBinaryNodeChildren(list, 'user').map(readAnswer);
}

/** A query whose time-out is an error like its refusal. Throws normalised errors. */
export async function queryPeople(sock: WASocket, query: BinaryNode, what: string): Promise<BinaryNode> {
  try {
    // The library gives the stanza of the answer, and types it as anything.
    return answered(trusted<BinaryNode | undefined>(await sock.query(query)), what);
  } catch (error) {
    throw normaliseFailure(error, what);
  }
}

function questionNode(question: Question): BinaryNode {
  switch (question) {
    case 'devices':
      return node('devices', { version: '2' });
    case 'business':
      return node('business', {}, [node('verified_name', {})]);
    default:
      return node(question, {});
  }
}

/** Reads one `<user>` of an answer. Pure. */
export function readAnswer(user: BinaryNode): Found {
  const contact = getBinaryNodeChild(user, 'contact');
  const status = getBinaryNodeChild(user, 'status');
  const devices = getBinaryNodeChild(getBinaryNodeChild(user, 'devices'), 'device-list');
  const verified = getBinaryNodeChild(getBinaryNodeChild(user, 'business'), 'verified_name');
  const asked = textOf(contact);
  return {
    jid: jidNormalizedUser(user.attrs['jid'] ?? ''),
    askedFor: asked === null ? null : asked.replaceAll(/\D/g, ''),
    isRegistered: registrationOf(contact?.attrs['type']),
    lid: lidOf(user),
    devices: getBinaryNodeChildren(devices, 'device').map(({ attrs }) => Number(attrs['id'])),
    about: status?.attrs['code'] === undefined ? textOf(status) : null,
    pictureId: getBinaryNodeChild(user, 'picture')?.attrs['id'] ?? null,
    isBusiness: verified !== undefined,
    verifiedName: nameOf(verified),
  };
}

function registrationOf(type: string | undefined): boolean | null {
  return type === 'in' || type === 'out' ? type === 'in' : null;
}

function lidOf(user: BinaryNode): string | null {
  const told = getBinaryNodeChild(user, 'lid')?.attrs['val'];
  return told === undefined || told === '' ? null : jidNormalizedUser(told);
}

/** The name in WhatsApp's certificate of a business; null when it cannot be read. */
function nameOf(verified: BinaryNode | undefined): string | null {
  const content = verified?.content;
  if (!(content instanceof Uint8Array)) return null;
  try {
    const { details } = proto.VerifiedNameCertificate.decode(content);
    return details ? proto.VerifiedNameCertificate.Details.decode(details).verifiedName || null : null;
  } catch {
    return null;
  }
}

/** By the number that the answer repeats, by the address, and by its place in a complete answer. */
// oxlint-disable-next-line max-params -- a search is its place, its key, and how to read both
function match(found: readonly Found[], jid: string, index: number, asked: number): Found | null {
  const digits = userOf(jid);
  return (
    found.find(({ askedFor }) => askedFor === digits) ??
    found.find((each) => each.jid === jid) ??
    (found.length === asked ? (found[index] ?? null) : null)
  );
}

/** What was learnt serves the encryption of later messages as well. */
async function keepMappings(sock: WASocket, found: readonly Found[]): Promise<void> {
  const pairs = found.flatMap(({ jid, lid }) => (lid === null || isLidUser(jid) === true ? [] : [{ pn: jid, lid }]));
  if (pairs.length > 0) await sock.signalRepository.lidMapping.storeLIDPNMappings(pairs);
}

function textOf(part: BinaryNode | undefined): string | null {
  const content = part?.content;
  if (typeof content === 'string') return content || null;
  return content instanceof Uint8Array ? new TextDecoder().decode(content) || null : null;
}

export function node(tag: string, attrs: Record<string, string>, content?: BinaryNode['content']): BinaryNode {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}
