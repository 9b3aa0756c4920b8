/** usync: who is on WhatsApp, under which addresses, with which devices. */
import { assertNever } from '../../contract/assert-never.ts';
import { lidJid, parseJid, phoneDigits, pnJid } from '../jid.ts';
import { Blocklist } from '../state/blocklist.ts';
import { Pictures } from '../state/pictures.ts';
import { Privacy } from '../state/privacy.ts';
import { type Business, Profiles } from '../state/profiles.ts';
import type { BinaryNode, Connection, Directory, Flow, User } from '../types.ts';
import { child, children, element, iqResult, isIq, SERVER_JID, textOf } from '../wire/node.ts';
import { proto } from '../wire/proto.ts';
import { waysToWrite } from './national-numbers.ts';
import type { WireContext } from './wire-context.ts';

const protocols = [
  'contact',
  'devices',
  'lid',
  'disappearing_mode',
  'username',
  'status',
  'business',
  'picture',
] as const;
type Protocol = (typeof protocols)[number];

/** Somebody who was asked about: the address to answer under, and the user when there is one. */
interface Subject {
  readonly jid: string;
  readonly user: User | undefined;
}

/** What people tell of themselves, and to whom. */
interface Disclosures {
  readonly profiles: Profiles;
  readonly pictures: Pictures;
  readonly privacy: Privacy;
  readonly blocklist: Blocklist;
}

/** Answers usync queries; the answer is late under the `slow_usync` fault, and nothing else waits for it. */
export function createUsyncFlow(context: WireContext): Flow & Disposable {
  const late = new Set<NodeJS.Timeout>();
  const { records, directory } = context;
  const disclosures: Disclosures = {
    profiles: new Profiles(records),
    pictures: new Pictures(records),
    privacy: new Privacy(records),
    blocklist: new Blocklist(records, directory),
  };
  const answer = (node: BinaryNode, connection: Connection) => {
    connection.send(usyncAnswer({ ...disclosures, context }, node, connection.device.user));
  };
  return {
    name: 'usync',
    handles: (node) => isIq(node, 'usync', 'get'),
    async handle(node, connection) {
      const delayMs = context.faults.delayMs(connection.device.user, 'slow_usync');
      if (delayMs === 0) return answer(node, connection);
      const timer = setTimeout(() => {
        late.delete(timer);
        answer(node, connection);
      }, delayMs);
      late.add(timer);
    },
    [Symbol.dispose]() {
      for (const timer of late) clearTimeout(timer);
      late.clear();
    },
  };
}

function usyncAnswer(
  { context, ...disclosures }: Disclosures & { readonly context: WireContext },
  node: BinaryNode,
  asking: User,
): BinaryNode {
  const request = child(node, 'usync');
  const asked = new Set(children(child(request, 'query')).map(({ tag }) => tag));
  const wanted = protocols.filter((protocol) => asked.has(protocol));
  const users = children(child(request, 'list'), 'user').map((entry) => {
    const { jid, user } = subjectOf(context.directory, entry);
    if (user !== undefined && asked.has('devices')) context.watchers.add(user, asking);
    if (user === undefined) return element('user', { jid }, asked.has('contact') ? [contactNode('out')] : []);
    const answers = wanted.flatMap((protocol) => protocolAnswer(protocol, { jid, user, asking }, disclosures) ?? []);
    return element('user', { jid }, answers);
  });
  const attrs = { ...request?.attrs, index: '0', last: 'true' };
  const usync = element('usync', attrs, [element('result'), element('list', {}, users)]);
  return { ...iqResult(node, [usync]), attrs: { from: SERVER_JID, type: 'result', id: node.attrs['id'] ?? '' } };
}

function subjectOf(directory: Directory, entry: BinaryNode): Subject {
  const jid = entry.attrs['jid'];
  if (jid !== undefined) {
    const user = directory.byJid(jid);
    return { jid, user: user?.registered === true ? user : undefined };
  }
  const written = textOf(child(entry, 'contact'));
  const digits = phoneDigits(written) ?? written.replaceAll(/\D/g, '');
  for (const form of waysToWrite(digits)) {
    const user = directory.byPn(form);
    if (user?.registered === true) return { jid: pnJid(user.pn), user };
  }
  return { jid: pnJid(digits), user: undefined };
}

function protocolAnswer(
  protocol: Protocol,
  { jid, user, asking }: { jid: string; user: User; asking: User },
  disclosures: Disclosures,
): BinaryNode | undefined {
  const profile = disclosures.profiles.of(user);
  switch (protocol) {
    case 'contact':
      return contactNode('in');
    case 'devices':
      return element('devices', {}, deviceList(user));
    case 'lid':
      // Only for phone numbers: an answer to a LID makes clients renew the Signal session.
      return parseJid(jid)?.server === 'lid' ? undefined : element('lid', { val: lidJid(user.lid) });
    case 'disappearing_mode':
      return element('disappearing_mode', {
        duration: String(profile.disappearingS),
        t: String(profile.disappearingAt),
      });
    case 'username':
      return element('username');
    case 'status':
      return isHidden(disclosures, { user, asking, category: 'status' }) || profile.isAboutHidden
        ? element('status', { code: '401', t: '0' })
        : element('status', { t: String(profile.aboutAt) }, Buffer.from(profile.about, 'utf8'));
    case 'business':
      return profile.business === null ? undefined : element('business', {}, [verifiedName(user, profile.business)]);
    case 'picture': {
      const picture = disclosures.pictures.of(user.lid);
      const isSeen = !isHidden(disclosures, { user, asking, category: 'profile' }) && !profile.isPictureHidden;
      return picture !== undefined && isSeen ? element('picture', { id: picture.id }) : undefined;
    }
    default:
      return assertNever(protocol);
  }
}

function isHidden(
  { privacy, blocklist }: Disclosures,
  { user, asking, category }: { user: User; asking: User; category: string },
): boolean {
  if (user === asking) return false;
  return privacy.of(user, category) === 'none' || blocklist.has(user, asking);
}

function contactNode(type: 'in' | 'out'): BinaryNode {
  return element('contact', { type });
}

/** The name of a business, in the form of WhatsApp's certificate; nobody checks the signature. */
function verifiedName(user: User, business: Business): BinaryNode {
  const details = proto.VerifiedNameCertificate.Details.encode({
    verifiedName: business.name ?? user.name,
    issuer: 'smb:wa',
  }).finish();
  const certificate = proto.VerifiedNameCertificate.encode({ details, signature: Buffer.alloc(64) }).finish();
  return element('verified_name', { v: '1' }, certificate);
}

function deviceList(user: User): BinaryNode[] {
  const companions = [...user.devices.values()].map((device) =>
    element('device', { id: String(device.id), 'key-index': String(device.keyIndex) }),
  );
  return [element('device-list', {}, [element('device', { id: '0' }), ...companions])];
}
