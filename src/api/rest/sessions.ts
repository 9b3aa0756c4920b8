/** The operations on a session as a whole. */
import { ulid } from 'ulid';
import { WardenError } from '../../contract/errors.ts';
import { parseSessionId, type SessionId } from '../../contract/ids.ts';
import type { SessionStatus } from '../../contract/operations/sessions.ts';
import type { SessionRow } from '../../store/store.ts';
import { visibleTo } from '../auth/principal.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isPaired, presentDevice, presentSession, presentStatus } from '../presenters/session.ts';
import { presentNewWebhook, rowOfNew } from '../presenters/webhook.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { newWebhook, urlRights } from './new-webhook.ts';

type SessionOperationName =
  | 'createSession'
  | 'listSessions'
  | 'getSession'
  | 'updateSession'
  | 'deleteSession'
  | 'getSessionStatus'
  | 'connectSession'
  | 'disconnectSession'
  | 'restartSession'
  | 'logoutSession'
  | 'getDevice';

export function sessionHandlers(dependencies: ApiDependencies): Handlers<SessionOperationName> {
  const { store, supervisor, sandbox, media, tokens, settings, log } = dependencies;

  const rightsOf = urlRights(settings.outboundAllowCidr);
  const present = (row: SessionRow) => presentSession(row, supervisor.view(row));
  const reload = async (id: SessionId): Promise<SessionRow> => {
    const row = await store.sessions.get(id);
    if (row === null) throw new WardenError('session_not_found');
    return row;
  };
  const statusOf = async (id: SessionId): Promise<SessionStatus> => supervisor.view(await reload(id)).status;

  return {
    createSession: async ({ params, caller: { principal } }) => {
      if (params.sandbox && sandbox === null) {
        throw new WardenError('unprocessable', { message: 'The sandbox is switched off on this gateway.' });
      }
      const { total: existing } = await store.sessions.list({ limit: 1, cursor: null });
      const { sandbox: isSandbox, auto_connect: starts, memory_cap_mb: memoryCapMb = null } = params;
      supervisor.assertCapacity({ sandbox: isSandbox, memoryCapMb, starts, existing });
      const webhook =
        params.webhook === undefined
          ? null
          : newWebhook(params.webhook, { field: 'webhook.', rights: rightsOf(principal) });
      const created = await store.sessions.create({
        id: params.id ?? newSessionId(),
        name: params.name ?? null,
        sandbox: params.sandbox,
        desired: params.auto_connect ? 'running' : 'stopped',
        memoryCapMb: params.memory_cap_mb ?? null,
        webhook,
      });
      if (params.auto_connect) {
        // The session exists and should run: what hinders its start now is told by its status, not by this answer.
        await supervisor.connect(created.id).catch((error: unknown) => {
          log.warn({ session: created.id, err: error }, 'new session could not be started at once');
        });
      }
      const row = await reload(created.id);
      const session = present(row);
      if (webhook === null) return { ...session, session };
      return { ...session, session, webhook: presentNewWebhook(rowOfNew(webhook, row), webhook.secret) };
    },

    listSessions: async ({ params, caller }) => {
      const { limit, cursor = null } = params;
      const page = await store.sessions.list({ limit, cursor, ...visibleTo(caller.principal) });
      return { sessions: page.rows.map(present), total: page.total, next_cursor: page.nextCursor };
    },

    getSession: async (call) => present(sessionOf(call)),

    updateSession: async (call) => {
      const { name, memory_cap_mb: memoryCapMb, isolated, pacing } = call.params;
      const row = await store.sessions.update(sessionOf(call).id, {
        ...(name === undefined ? {} : { name }),
        ...(memoryCapMb === undefined ? {} : { memoryCapMb }),
        ...(isolated === undefined ? {} : { isolated }),
        ...(pacing === undefined ? {} : { pacing }),
      });
      if (row === null) throw new WardenError('session_not_found');
      if (memoryCapMb !== undefined || isolated !== undefined) await supervisor.reconsider(row.id);
      return present(row);
    },

    deleteSession: async (call) => {
      await supervisor.remove(sessionOf(call).id);
      tokens.forgetAll();
      await media.spool.sweep();
      return { success: true, message: 'Session deleted.' };
    },

    getSessionStatus: async (call) => {
      const row = sessionOf(call);
      return presentStatus(row, supervisor.view(row));
    },

    connectSession: async (call) => {
      const row = sessionOf(call);
      if (supervisor.view(row).status === 'connected') throw new WardenError('already_connected');
      await supervisor.connect(row.id, call.params.take_back);
      const status = await statusOf(row.id);
      const message = status === 'connected' ? 'The session is connected.' : 'The session is connecting.';
      return { success: true, message, status };
    },

    disconnectSession: async (call) => {
      const { id } = sessionOf(call);
      await supervisor.disconnect(id);
      return { success: true, message: 'The session is disconnected.', status: await statusOf(id) };
    },

    restartSession: async (call) => {
      const { id } = sessionOf(call);
      await supervisor.restart(id, call.params.take_back);
      return { success: true, message: 'The session restarts.', status: await statusOf(id) };
    },

    logoutSession: async (call) => {
      const row = sessionOf(call);
      if (!isPaired(row, supervisor.view(row))) throw new WardenError('not_paired');
      await supervisor.logout(row.id);
      return { success: true, message: 'The session is logged out.', status: await statusOf(row.id) };
    },

    getDevice: async (call) => {
      const row = sessionOf(call);
      return presentDevice(row, supervisor.view(row));
    },
  };
}

function newSessionId(): SessionId {
  const id = parseSessionId(`s-${ulid().toLowerCase()}`);
  if (id === null) throw new WardenError('internal_error', { message: 'a generated session id is malformed' });
  return id;
}
