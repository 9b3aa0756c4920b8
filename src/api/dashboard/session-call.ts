/** Operations of one session as pages and forms ask for them: with the scope, validation and presenters of the API. */
import type { z } from 'zod';
import { WardenError } from '../../contract/errors.ts';
import { parseSessionId } from '../../contract/ids.ts';
import { operations, type Result } from '../../contract/index.ts';
import type { SessionRow } from '../../store/store.ts';
import type { Principal } from '../auth/principal.ts';
import type { AnsweredOnce } from '../rest/operation-runner.ts';
import type { RequestContext } from '../state.ts';
import type { DashboardDependencies } from './dependencies.ts';
import { assertAllowed, pageCall } from './page.ts';

interface SessionCall {
  readonly principal: Principal;
  readonly row: SessionRow;
  /** As a client of the API would write it. */
  readonly input: unknown;
}

/** The table seen so that a generic name keeps its own result. */
const schemas: { readonly [N in AnsweredOnce]: { readonly result: z.ZodType<Result<N>> } } = operations;

/** Carries out an operation for whom the page was made; throws what validation and the operation throw. */
export async function askSession<N extends AnsweredOnce>(
  { run }: Pick<DashboardDependencies, 'run'>,
  name: N,
  call: SessionCall,
): Promise<Result<N>> {
  const signal = AbortSignal.timeout(operations[name].deadlineMs);
  return schemas[name].result.parse(await run(name, { ...call, upload: null, key: null, signal }));
}

/** The session of a form's path, for somebody who may carry that operation out. Throws `session_not_found`, `forbidden`. */
export async function sessionOfForm(
  { store }: Pick<DashboardDependencies, 'store'>,
  ctx: RequestContext,
  name: AnsweredOnce,
): Promise<SessionRow> {
  const { params, principal } = pageCall(ctx);
  const id = parseSessionId(params['id'] ?? '');
  if (id === null) throw new WardenError('session_not_found');
  assertAllowed(principal, operations[name].scope, id);
  const row = await store.sessions.get(id);
  if (row === null) throw new WardenError('session_not_found');
  return row;
}
