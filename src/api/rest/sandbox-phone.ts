/** What the screens of the simulated phone show, asked of the simulator. */
import { isLidJid, userOf } from '../../contract/ids.ts';
import { operations } from '../../contract/index.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { control } from '../sandbox-control.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { sandboxAccount } from './sandbox-access.ts';

type SandboxPhoneOperationName = 'sandboxListContacts' | 'sandboxListGroups' | 'sandboxChat' | 'sandboxListFaults';

export function sandboxPhoneHandlers(
  dependencies: Pick<ApiDependencies, 'supervisor' | 'sandbox'>,
): Handlers<SandboxPhoneOperationName> {
  return {
    sandboxListContacts: async (call) => {
      const { limit, search } = call.params;
      const query = queryOf({ limit, search });
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), `/contacts?${query}`);
      return control(port, { method: 'GET', path, answer: operations.sandboxListContacts.result });
    },

    sandboxListGroups: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/groups');
      return control(port, { method: 'GET', path, answer: operations.sandboxListGroups.result });
    },

    sandboxChat: async (call) => {
      const { contact, group, limit, before } = call.params;
      const query = queryOf({ contact: isLidJid(contact) ? contact : userOf(contact), group, limit, before });
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), `/chat?${query}`);
      return control(port, { method: 'GET', path, answer: operations.sandboxChat.result });
    },

    sandboxListFaults: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/faults');
      return control(port, { method: 'GET', path, answer: operations.sandboxListFaults.result });
    },
  };
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return new URLSearchParams(given).toString();
}
