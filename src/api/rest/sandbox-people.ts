/** What simulated contacts do besides writing: come online, type, call. */
import { operations } from '../../contract/index.ts';
import { userOf } from '../../contract/ids.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { control } from '../sandbox-control.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { sandboxAccount } from './sandbox-access.ts';

type SandboxPeopleOperationName =
  | 'sandboxPresence'
  | 'sandboxTyping'
  | 'sandboxChatStates'
  | 'sandboxCall'
  | 'sandboxFollowCall';

export function sandboxPeopleHandlers(dependencies: ApiDependencies): Handlers<SandboxPeopleOperationName> {
  return {
    sandboxPresence: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/presence');
      const { contact, ...rest } = call.params;
      return control(port, {
        method: 'POST',
        path,
        body: { contact: writtenOf(contact), ...rest },
        answer: operations.sandboxPresence.result,
      });
    },

    sandboxTyping: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/typing');
      const { contact, ...rest } = call.params;
      return control(port, {
        method: 'POST',
        path,
        body: { contact: writtenOf(contact), ...rest },
        answer: operations.sandboxTyping.result,
      });
    },

    sandboxChatStates: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/chat-states');
      return control(port, { method: 'GET', path, answer: operations.sandboxChatStates.result });
    },

    sandboxCall: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/calls');
      const { from, video, group = null } = call.params;
      return control(port, {
        method: 'POST',
        path,
        body: { from: writtenOf(from), video, group },
        answer: operations.sandboxCall.result,
      });
    },

    sandboxFollowCall: async (call) => {
      const { port, path } = sandboxAccount(dependencies, sessionOf(call), '/calls');
      const { call_id, action } = call.params;
      return control(port, {
        method: 'POST',
        path,
        body: { call_id, action },
        answer: operations.sandboxFollowCall.result,
      });
    },
  };
}

/** As the simulator takes people: numbers as digits, LIDs as they are. */
const writtenOf = (jid: string): string => (jid.endsWith('@lid') ? jid : userOf(jid));
