/** What can be done to one session, or to several that are ticked in the list, without scripts. */
import { toWardenError, WardenError } from '../../../contract/errors.ts';
import { parseSessionId, type SessionId } from '../../../contract/ids.ts';
import { operations, type OperationName } from '../../../contract/index.ts';
import { callerOf } from '../../caller.ts';
import type { RequestContext } from '../../state.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formField, formFields } from '../form-body.ts';
import type { DashboardForm } from '../form.ts';
import { assertAllowed, pageCall } from '../page.ts';
import { queryOf, wishesOf } from '../session-list.ts';
import { redirect } from '../sign-in.ts';

const actions = {
  connect: 'connectSession',
  disconnect: 'disconnectSession',
  restart: 'restartSession',
  logout: 'logoutSession',
  delete: 'deleteSession',
} as const satisfies Record<string, OperationName>;
type Action = keyof typeof actions;
/** Of the ticked sessions; each may take seconds. */
const atOnce = 10;

const isAction = (name: string): name is Action => Object.hasOwn(actions, name);
const doneWords: Readonly<Record<Action, string>> = {
  connect: 'connecting',
  disconnect: 'disconnected',
  restart: 'restarting',
  logout: 'logged out',
  delete: 'deleted',
};

export function sessionActionForms(dependencies: DashboardDependencies): readonly DashboardForm[] {
  return [
    {
      path: '/dashboard/sessions/actions',
      submit: async (ctx) => {
        const action = actionOf(formField(ctx, 'action'));
        const ids = formFields(ctx, 'session').flatMap((text) => parseSessionId(text) ?? []);
        const failures: string[] = [];
        const one = async (id: SessionId): Promise<void> => {
          try {
            await act(dependencies, ctx, { id, action });
          } catch (error) {
            failures.push(`${id}: ${toWardenError(error).message}`);
          }
        };
        for (let start = 0; start < ids.length; start += atOnce) {
          await Promise.all(ids.slice(start, start + atOnce).map(one));
        }
        const done = ids.length - failures.length;
        const what = ids.length === 0 ? 'No session was ticked.' : `${done} of ${ids.length} ${doneWords[action]}.`;
        const shown = queryOf(wishesOf(Object.fromEntries(new URLSearchParams(formField(ctx, 'shown')))), {});
        back(ctx, `/dashboard/sessions?${shown}`, {
          words: [what, ...failures.slice(0, 3)].join(' '),
          isGood: done === ids.length && done > 0,
        });
      },
    },
    {
      path: '/dashboard/sessions/:id/actions',
      submit: async (ctx) => {
        const action = actionOf(formField(ctx, 'action'));
        const id = parseSessionId(pageCall(ctx).params['id'] ?? '');
        if (id === null) throw new WardenError('session_not_found');
        await act(dependencies, ctx, { id, action });
        const where = action === 'delete' ? '/dashboard/sessions' : `/dashboard/sessions/${id}`;
        back(ctx, where, { words: `${id} ${doneWords[action]}.`, isGood: true });
      },
    },
  ];
}

async function act(
  { run, store }: DashboardDependencies,
  ctx: RequestContext,
  { id, action }: { readonly id: SessionId; readonly action: Action },
): Promise<void> {
  const name = actions[action];
  const { principal } = pageCall(ctx);
  assertAllowed(principal, operations[name].scope, id);
  const row = await store.sessions.get(id);
  if (row === null) throw new WardenError('session_not_found');
  const signal = AbortSignal.timeout(operations[name].deadlineMs);
  await run(name, { input: {}, row, upload: null, key: null, caller: callerOf(ctx), signal });
}

function actionOf(name: string): Action {
  if (isAction(name)) return name;
  throw new WardenError('invalid_request', {
    details: [{ field: 'action', expected: `one of ${Object.keys(actions).join(', ')}` }],
  });
}

function back(
  ctx: RequestContext,
  path: string,
  { words, isGood }: { readonly words: string; readonly isGood: boolean },
): void {
  const url = new URL(path, 'http://gateway.invalid');
  url.searchParams.set(isGood ? 'notice' : 'problem', words);
  redirect(ctx, `${url.pathname}${url.search}`);
}
