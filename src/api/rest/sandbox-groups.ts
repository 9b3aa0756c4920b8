/** The sandbox's groups, translated to the simulator's control API. */
import { WardenError } from '../../contract/errors.ts';
import { isLidJid, userOf } from '../../contract/ids.ts';
import { operations, type Params } from '../../contract/index.ts';
import { sandboxGroupActions } from '../../contract/operations/sandbox-groups.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deviceOf } from '../presenters/session.ts';
import { control } from '../sandbox-control.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { sandboxOf } from './sandbox-access.ts';

type SandboxGroupOperationName = 'sandboxCreateGroup' | 'sandboxGetGroup' | 'sandboxChangeGroup';

export function sandboxGroupHandlers(dependencies: ApiDependencies): Handlers<SandboxGroupOperationName> {
  const { supervisor, sandbox } = dependencies;

  const view = (row: SessionRow, jid: string) =>
    control(sandboxOf(row, sandbox), {
      method: 'GET',
      path: groupPath(jid),
      answer: operations.sandboxGetGroup.result,
    }).catch((error: unknown) => {
      const isUnknown = error instanceof WardenError && error.code === 'contact_not_found';
      throw isUnknown ? unknownGroup() : error;
    });

  return {
    sandboxCreateGroup: async (call) => {
      const row = sessionOf(call);
      const port = sandboxOf(row, sandbox);
      const device = deviceOf(row, supervisor.view(row));
      if (device === null) throw new WardenError('not_paired');
      const { subject, participants, addressing, creator } = call.params;
      return control(port, {
        method: 'POST',
        path: `/accounts/${encodeURIComponent(device.phoneNumber)}/groups`,
        body: {
          subject,
          addressing,
          participants: participants.map((jid) => written(jid)),
          ...(creator === undefined ? {} : { creator: written(creator) }),
        },
        answer: operations.sandboxCreateGroup.result,
      });
    },

    sandboxGetGroup: (call) => view(sessionOf(call), call.params.jid),

    sandboxChangeGroup: async (call) => {
      const row = sessionOf(call);
      const { jid, by } = call.params;
      const content = contentOf(call.params);
      await view(row, jid);
      return control(sandboxOf(row, sandbox), {
        method: 'POST',
        path: `${groupPath(jid)}/actions`,
        body: { by: written(by), ...content },
        answer: operations.sandboxChangeGroup.result,
      });
    },
  };
}

/** What the action needs and nothing else. Throws `invalid_request` when that is missing. */
function contentOf({ action, participants, value }: Params<'sandboxChangeGroup'>): Readonly<Record<string, unknown>> {
  const needs = sandboxGroupActions[action];
  const isGiven = {
    nothing: true,
    participants: participants !== undefined,
    text: typeof value === 'string',
    'text or null': typeof value === 'string' || value === null,
    boolean: typeof value === 'boolean',
    seconds: typeof value === 'number',
  }[needs];
  if (!isGiven) {
    const field = needs === 'participants' ? 'participants' : 'value';
    throw new WardenError('invalid_request', {
      details: [
        { field, expected: `${needs} for ${action}`, received: value === undefined ? 'nothing' : typeof value },
      ],
    });
  }
  if (needs === 'nothing') return { action };
  return needs === 'participants'
    ? { action, participants: participants?.map((jid) => written(jid)) }
    : { action, value };
}

function groupPath(jid: string): string {
  return `/groups/${encodeURIComponent(jid)}`;
}

/** People as the simulator reads them: a number, or a LID as it is. */
function written(jid: string): string {
  return isLidJid(jid) ? jid : userOf(jid);
}

function unknownGroup(): WardenError {
  return new WardenError('group_not_found', { message: 'The sandbox has no group with this JID.' });
}
