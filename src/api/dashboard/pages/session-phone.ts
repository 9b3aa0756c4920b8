/** The simulated phone of a sandbox session: linking, contacts, chats, and what WhatsApp does wrong on purpose. */
import { WardenError } from '../../../contract/errors.ts';
import { parseJid, userOf } from '../../../contract/ids.ts';
import { operations, type Params, type Result } from '../../../contract/index.ts';
import type { SessionRow } from '../../../store/store.ts';
import { deviceOf } from '../../presenters/session.ts';
import { control } from '../../sandbox-control.ts';
import { sandboxAccount } from '../../rest/sandbox-access.ts';
import { sandboxPhoneHandlers } from '../../rest/sandbox-phone.ts';
import { callerOf, type Caller } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { activeFaultWords, faultGroups } from '../fault-words.ts';
import { bubbleOf } from '../phone-bubbles.ts';
import { guideOf } from '../phone-guide.ts';
import { defineSessionPage } from '../session-page.ts';

const shownContacts = 100;
const shownMessages = 60;

/** What a chat is open with, and as whom. */
interface OpenChat {
  readonly jid: string;
  readonly title: string;
  readonly reader: { readonly jid: string; readonly name: string };
  /** Null in a group. */
  readonly contact: Result<'sandboxListContacts'>['contacts'][number] | null;
  /** Null for the chat of two. */
  readonly group: { readonly jid: string; readonly members: readonly { readonly jid: string }[] } | null;
}

export function sessionPhonePage(dependencies: DashboardDependencies) {
  const { supervisor, store, qrImages, clock, settings } = dependencies;
  return defineSessionPage(dependencies, {
    tab: 'phone',
    template: 'session/phone.njk',
    parts: {
      bar: 'session/phone/_bar.njk',
      camera: 'session/phone/_camera.njk',
      chats: 'session/phone/_chats.njk',
      bubbles: 'session/phone/_bubbles.njk',
      guide: 'session/phone/_guide.njk',
      faults: 'session/phone/_faults.njk',
      oracle: 'session/phone/_oracle.njk',
    },
    script: 'phone',
    live: [
      'message',
      'message_sent',
      'message_failed',
      'message_edited',
      'message_deleted',
      'message_undecryptable',
      'receipt',
      'reaction',
      'poll_vote',
      'presence',
      'chat_presence',
      'call',
      'group_update',
      'group_participants',
    ],
    load: async ({ ctx, row, resource, query }) => {
      const reads = readsOf(dependencies, callerOf(ctx));
      if (!row.sandbox) {
        throw new WardenError('not_a_sandbox_session', {
          message: 'This session is for a real phone; only sandbox sessions have a simulated one.',
        });
      }
      const { part } = query;
      const wants = (...names: readonly string[]): boolean => part === undefined || names.includes(part);
      const view = supervisor.view(row);
      const device = deviceOf(row, view);
      const isLinked = device !== null;
      const qr = resource.status === 'waiting_for_qr' && wants('camera') ? (view.link?.qr ?? null) : null;
      const open = isLinked && wants('bubbles') ? await openChat(reads, row, query) : null;
      const [people, groups, chat, faults, oracle, counts] = await Promise.all([
        isLinked && wants('chats', 'guide') ? reads.contacts(row, { limit: shownContacts }) : noContacts,
        isLinked && wants('chats') ? reads.groups(row) : [],
        open === null ? noMessages : reads.chat(row, open),
        isLinked && wants('faults') ? reads.faults(row) : [],
        isLinked && wants('oracle') ? reads.oracle(row) : null,
        wants('guide') ? countsOf(store, row) : { sent: 0, received: 0 },
      ]);
      return {
        account: device,
        camera: qr === null ? null : Buffer.from(await qrImages.svg(qr.code)).toString('base64'),
        open,
        bubbles: open === null ? [] : chat.messages.map((message) => bubbleOf(message, open.reader)),
        hasMore: chat.has_more,
        contacts: people.contacts,
        totalContacts: people.total,
        groups,
        faults: faults.map((fault) => ({ name: fault.fault, ...activeFaultWords(fault, clock.now()) })),
        faultGroups,
        oracle,
        guide: guideOf({ isLinked, contacts: people.contacts, ...counts }),
        baseUrl: settings.baseUrl,
      };
    },
  });
}

const noContacts: Result<'sandboxListContacts'> = { contacts: [], total: 0 };
const noMessages: Result<'sandboxChat'> = { messages: [], has_more: false };

type Reads = ReturnType<typeof readsOf>;

/** The questions to the simulator that this page has. */
function readsOf(dependencies: DashboardDependencies, caller: Caller) {
  const handlers = sandboxPhoneHandlers(dependencies);
  const callOf = <Asked>(row: SessionRow, params: Asked) => {
    return { row, params, upload: null, caller, signal: AbortSignal.timeout(operations.sandboxChat.deadlineMs) };
  };
  return {
    contacts: (row: SessionRow, params: Params<'sandboxListContacts'>) =>
      handlers.sandboxListContacts(callOf(row, params)),
    groups: async (row: SessionRow) => (await handlers.sandboxListGroups(callOf(row, {}))).groups,
    faults: async (row: SessionRow) => (await handlers.sandboxListFaults(callOf(row, {}))).faults,
    chat: async (row: SessionRow, { reader, group }: OpenChat) => {
      const contact = parseJid(reader.jid);
      if (contact === null) return noMessages;
      const params = { contact, limit: shownMessages, ...(group === null ? {} : { group: group.jid }) };
      return handlers.sandboxChat(callOf(row, params));
    },
    oracle: (row: SessionRow) => {
      const { port, path } = sandboxAccount(dependencies, row, '/oracle');
      return control(port, { method: 'GET', path, answer: operations.sandboxOracle.result });
    },
  };
}

/** The chat that `?chat=` names, of a group as the member `?as=`; null when there is none such. */
async function openChat(
  reads: Reads,
  row: SessionRow,
  query: Readonly<Record<string, string>>,
): Promise<OpenChat | null> {
  const { chat: jid, as } = query;
  if (jid === undefined) return null;
  if (jid.endsWith('@g.us')) {
    const group = (await reads.groups(row)).find((each) => each.jid === jid);
    const members = group?.participants.filter((member) => userOf(member.jid) !== row.device?.phoneNumber) ?? [];
    const reader = members.find((member) => member.jid === as) ?? members[0];
    if (group === undefined || reader === undefined) return null;
    return {
      jid,
      title: group.subject,
      reader: { jid: reader.jid, name: `+${userOf(reader.jid)}` },
      contact: null,
      group: { jid, members },
    };
  }
  const { contacts } = await reads.contacts(row, { limit: 10, search: userOf(jid) });
  const contact = contacts.find((each) => each.jid === jid);
  if (contact === undefined) return null;
  return { jid, title: contact.name, reader: contact, contact, group: null };
}

async function countsOf(store: DashboardDependencies['store'], row: SessionRow) {
  const count = async (direction: 'in' | 'out'): Promise<number> => {
    const page = await store.messages.list(row.id, { chat: null, search: null, direction, limit: 1, cursor: null });
    return page.total;
  };
  const [sent, received] = await Promise.all([count('out'), count('in')]);
  return { sent, received };
}
