/** The sandbox: what simulated phones and contacts do to a session, translated to the simulator's control API. */
import { z } from 'zod';
import { WardenError } from '../../contract/errors.ts';
import { operations } from '../../contract/index.ts';
import { userOf } from '../../contract/ids.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deviceOf } from '../presenters/session.ts';
import { control } from '../sandbox-control.ts';
import type { SandboxPort } from '../sandbox-port.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { sandboxOf } from './sandbox-access.ts';
import { sandboxPairingHandlers } from './sandbox-pairing.ts';

type SandboxOperationName =
  | 'sandboxScan'
  | 'sandboxEnterCode'
  | 'sandboxCreateContact'
  | 'sandboxSendMessage'
  | 'sandboxInbox'
  | 'sandboxReceipt'
  | 'sandboxSetFault'
  | 'sandboxExpireMedia'
  | 'sandboxClearFaults'
  | 'sandboxOracle';

const anything = z.unknown();

export function sandboxHandlers(dependencies: ApiDependencies): Handlers<SandboxOperationName> {
  const { supervisor, sandbox } = dependencies;

  /** The control path of a session's account; throws when it has none yet. */
  const account = (row: SessionRow, path: string): { readonly port: SandboxPort; readonly path: string } => {
    const port = sandboxOf(row, sandbox);
    const device = deviceOf(row, supervisor.view(row));
    if (device === null) throw new WardenError('not_paired');
    return { port, path: `/accounts/${encodeURIComponent(device.phoneNumber)}${path}` };
  };

  return {
    ...sandboxPairingHandlers(dependencies),

    // Before the session is paired there is no account yet that could know the contact.
    sandboxCreateContact: async (call) => {
      const row = sessionOf(call);
      const isPairedNow = deviceOf(row, supervisor.view(row)) !== null;
      const { port, path } = isPairedNow
        ? account(row, '/contacts')
        : { port: sandboxOf(row, sandbox), path: '/contacts' };
      return control(port, {
        method: 'POST',
        path,
        body: call.params,
        answer: operations.sandboxCreateContact.result,
      });
    },

    sandboxSendMessage: async (call) => {
      const { from, to, group } = call.params;
      if (from === 'phone' && to === undefined && group === undefined) {
        throw new WardenError('invalid_request', {
          details: [{ field: 'to', expected: 'the chat that the phone writes to, or a group', received: 'nothing' }],
        });
      }
      const { port, path } = account(sessionOf(call), '/messages');
      return control(port, {
        method: 'POST',
        path,
        body: call.params,
        answer: operations.sandboxSendMessage.result,
      });
    },

    sandboxInbox: async (call) => {
      const { contact, since } = call.params;
      const query = new URLSearchParams();
      if (contact !== undefined) query.set('contact', userOf(contact));
      if (since !== undefined) query.set('since', String(since));
      const { port, path } = account(sessionOf(call), `/inbox?${query.toString()}`);
      return control(port, { method: 'GET', path, answer: operations.sandboxInbox.result });
    },

    sandboxReceipt: async (call) => {
      const { port, path } = account(sessionOf(call), '/receipts');
      await control(port, { method: 'POST', path, body: call.params, answer: anything });
      return { success: true, message: 'Receipt sent.' };
    },

    sandboxSetFault: async (call) => {
      const { port, path } = account(sessionOf(call), '/faults');
      await control(port, { method: 'POST', path, body: call.params, answer: anything });
      return { success: true, message: 'Fault set.' };
    },

    sandboxExpireMedia: async (call) => {
      const { port, path } = account(sessionOf(call), '/media/expire');
      await control(port, { method: 'POST', path, body: call.params, answer: anything });
      return { success: true, message: 'The file is gone.' };
    },

    sandboxClearFaults: async (call) => {
      const { fault } = call.params;
      const { port, path } = account(sessionOf(call), fault === undefined ? '/faults' : `/faults?fault=${fault}`);
      await control(port, { method: 'DELETE', path, answer: anything });
      return { success: true, message: 'Faults cleared.' };
    },

    sandboxOracle: async (call) => {
      const { port, path } = account(sessionOf(call), '/oracle');
      return control(port, { method: 'GET', path, answer: operations.sandboxOracle.result });
    },
  };
}
