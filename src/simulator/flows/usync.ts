/** usync: who is on WhatsApp, under which addresses, with which devices. */
import { assertNever } from '../../contract/assert-never.ts';
import { parseJid, phoneDigits, pnJid } from '../jid.ts';
import type { BinaryNode, Connection, Directory, Flow, User } from '../types.ts';
import { child, children, element, iqResult, isIq, SERVER_JID, textOf } from '../wire/node.ts';
import { waysToWrite } from './national-numbers.ts';
import type { WireContext } from './wire-context.ts';

/** Those whose answer follows from the user alone; `status` is the other one that is known here. */
const protocols = ['contact', 'devices', 'lid', 'disappearing_mode', 'username'] as const;
type Protocol = (typeof protocols)[number];

/** Somebody who was asked about: the address to answer under, and the user when there is one. */
interface Subject {
  readonly jid: string;
  readonly user: User | undefined;
}

/** Answers usync queries; the answer is late under the `slow_usync` fault, and nothing else waits for it. */
export function createUsyncFlow(context: WireContext): Flow & Disposable {
  const late = new Set<NodeJS.Timeout>();
  const answer = (node: BinaryNode, connection: Connection) => {
    connection.send(usyncAnswer(context, node, connection.device.user));
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

function usyncAnswer(context: WireContext, node: BinaryNode, asking: User): BinaryNode {
  const request = child(node, 'usync');
  const asked = new Set(children(child(request, 'query')).map(({ tag }) => tag));
  const wanted = protocols.filter((protocol) => asked.has(protocol));
  const users = children(child(request, 'list'), 'user').map((entry) => {
    const { jid, user } = subjectOf(context.directory, entry);
    if (user !== undefined && asked.has('devices')) context.watchers.add(user, asking);
    const answers = wanted.flatMap((protocol) => protocolAnswer(protocol, jid, user) ?? []);
    const about = user !== undefined && asked.has('status') ? [aboutOf(context, user)] : [];
    return element('user', { jid }, [...answers, ...about]);
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

function protocolAnswer(protocol: Protocol, jid: string, user: User | undefined): BinaryNode | undefined {
  switch (protocol) {
    case 'contact':
      return element('contact', { type: user === undefined ? 'out' : 'in' });
    case 'devices':
      return user === undefined ? undefined : element('devices', {}, deviceList(user));
    case 'lid':
      // Only for phone numbers: an answer to a LID makes clients renew the Signal session.
      return user === undefined || parseJid(jid)?.server === 'lid'
        ? undefined
        : element('lid', { val: `${user.lid}@lid` });
    case 'disappearing_mode':
      return user === undefined ? undefined : element('disappearing_mode', { duration: '0', t: '0' });
    case 'username':
      return user === undefined ? undefined : element('username');
    default:
      return assertNever(protocol);
  }
}

function deviceList(user: User): BinaryNode[] {
  const companions = [...user.devices.values()].map((device) =>
    element('device', { id: String(device.id), 'key-index': String(device.keyIndex) }),
  );
  return [element('device-list', {}, [element('device', { id: '0' }), ...companions])];
}

/** The "about" text of a user, under which the usync protocol is called `status`. */
function aboutOf(context: WireContext, user: User): BinaryNode {
  const about = context.records.get('about', user.pn) ?? Buffer.from('Hey there! I am using WhatsApp.');
  return element('status', { t: '0' }, Buffer.from(about));
}
