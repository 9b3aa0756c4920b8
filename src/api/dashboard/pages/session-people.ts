/**
 * Groups and contacts of a session. WhatsApp has to be asked for each of them, through the child: the page comes at once,
 * and its parts when they are there.
 */
import { toWardenError } from '../../../contract/errors.ts';
import type { SessionRow } from '../../../store/store.ts';
import { callerOf, type Caller } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { askSession } from '../session-call.ts';
import { defineSessionPage } from '../session-page.ts';

const shownGroups = 200;
const mostNumbers = 100;

/** What is asked of WhatsApp: not yet, in vain, or answered. */
interface Loaded<Value> {
  readonly state: 'waiting' | 'failed' | 'ready';
  readonly problem: string | null;
  readonly value: Value | null;
}

export function sessionPeoplePage(dependencies: DashboardDependencies) {
  return defineSessionPage(dependencies, {
    tab: 'people',
    template: 'session/people.njk',
    parts: {
      waiting: 'session/_people-waiting.njk',
      groups: 'session/_groups.njk',
      group: 'session/_group.njk',
      invite: 'session/_invite.njk',
      check: 'session/_check.njk',
      contact: 'session/_contact.njk',
      blocked: 'session/_blocked.njk',
    },
    script: 'people',
    live: ['group_update', 'group_participants', 'contact_update'],
    load: async ({ ctx, row, resource, query }) => {
      const caller = callerOf(ctx);
      const isConnected = resource.status === 'connected';
      const { group = '', phones = '', contact = '', cursor, part } = query;
      // Without scripts somebody waits for the whole page.
      const isWanted = (name: string): boolean => isConnected && (part === name || query['all'] === '1');
      const ask = async <Value>(name: string, work: () => Promise<Value>): Promise<Loaded<Value>> => {
        if (!isWanted(name)) return { state: 'waiting', problem: null, value: null };
        try {
          return { state: 'ready', problem: null, value: await work() };
        } catch (error) {
          return { state: 'failed', problem: wordsOf(error), value: null };
        }
      };
      const numbers = phones.split(/[\s,;]*[\n,;]\s*/).filter((number) => number.trim() !== '');
      const [groups, opened, invite, checked, info, blocked] = await Promise.all([
        ask('groups', () => {
          const input = { limit: String(shownGroups), ...(cursor === undefined ? {} : { cursor }) };
          return askSession(dependencies, 'listGroups', { caller, row, input });
        }),
        ask('group', async () =>
          group === '' ? null : askSession(dependencies, 'getGroup', { caller, row, input: { jid: group } }),
        ),
        ask('invite', async () =>
          group === '' || part !== 'invite'
            ? null
            : askSession(dependencies, 'getGroupInvite', { caller, row, input: { jid: group } }),
        ),
        ask('check', async () =>
          numbers.length === 0
            ? null
            : askSession(dependencies, 'checkContacts', {
                caller,
                row,
                input: { phones: numbers.slice(0, mostNumbers) },
              }),
        ),
        ask('contact', async () =>
          contact.trim() === '' ? null : contactOf(dependencies, { caller, row, typed: contact.trim() }),
        ),
        ask('blocked', () => askSession(dependencies, 'listBlocked', { caller, row, input: {} })),
      ]);
      return {
        isConnected,
        groupJid: group,
        groups,
        opened,
        invite,
        checked,
        numbers: { typed: phones, isTooMany: numbers.length > mostNumbers, most: mostNumbers },
        info,
        contactTyped: contact,
        blocked,
        isWhole: query['all'] === '1',
      };
    },
  });
}

/** What WhatsApp tells of somebody. */
async function contactOf(
  dependencies: DashboardDependencies,
  { caller, row, typed }: { readonly caller: Caller; readonly row: SessionRow; readonly typed: string },
) {
  const { contacts } = await askSession(dependencies, 'getContactInfo', { caller, row, input: { phones: [typed] } });
  return contacts[0] ?? null;
}

/** The error's own words, with what was expected of the fields. */
function wordsOf(thrown: unknown): string {
  const { code, message, details } = toWardenError(thrown);
  if (code === 'internal_error') return 'The gateway could not find out.';
  const fields = (details ?? [])
    .slice(0, 3)
    .map(({ expected, received }) =>
      received === undefined ? `expected ${expected}` : `${received}: expected ${expected}`,
    );
  return fields.length === 0 ? message : `${message} ${fields.join('; ')}`;
}
