/** The routes of all operations, derived from the contract: lookup, scope, params, deadline, result. */
import { Router } from '@koa/router';
import { assertNever } from '../../contract/assert-never.ts';
import { WardenError } from '../../contract/errors.ts';
import {
  operationNames,
  operations,
  type ChildOperationName,
  type GatewayOperationName,
  type OperationName,
  type SendOperationName,
} from '../../contract/index.ts';
import { parseSessionId } from '../../contract/ids.ts';
import { fromPublishedForm } from '../../contract/published-forms.ts';
import type { Operation } from '../../contract/operation.ts';
import type { SessionRow } from '../../store/store.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import { isAllowed } from '../auth/principal.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { coerceFields, readMultipart } from '../middleware/multipart.ts';
import type { RequestContext, RequestState } from '../state.ts';
import { withDeadline } from './deadline.ts';
import { deliveryHandlers } from './deliveries.ts';
import { answerFile, FileAnswer } from './file-answer.ts';
import type { HandlerCall, Handlers } from './handler.ts';
import { mediaHandlers } from './media.ts';
import { messageHandlers } from './messages.ts';
import { pairingHandlers } from './pairing.ts';
import { pictures } from './pictures.ts';
import { preparedParams } from './prepared-params.ts';
import { sandboxPeopleHandlers } from './sandbox-people.ts';
import { sandboxGroupHandlers } from './sandbox-groups.ts';
import { sandboxHandlers } from './sandbox.ts';
import { send } from './send.ts';
import { sessionHandlers } from './sessions.ts';
import { supervisionHandlers } from './supervision.ts';
import { invalidRequest, parseParams } from './validation.ts';
import { webhookHandlers } from './webhooks.ts';

export const apiPrefix = '/api/v1';

/** All routes below /api/v1, one per path and alias of every operation. */
export function operationRoutes(dependencies: ApiDependencies): Router<RequestState> {
  // Case matters, as it does for whoever guards a path by its prefix.
  const router = new Router<RequestState>({ prefix: apiPrefix, sensitive: true });
  const handlers: Handlers<GatewayOperationName> = {
    ...sessionHandlers(dependencies),
    ...supervisionHandlers(dependencies),
    ...pairingHandlers(dependencies),
    ...webhookHandlers(dependencies),
    ...deliveryHandlers(dependencies),
    ...messageHandlers(dependencies),
    ...mediaHandlers(dependencies),
    ...sandboxHandlers(dependencies),
    ...sandboxGroupHandlers(dependencies),
    ...sandboxPeopleHandlers(dependencies),
  };
  // A type parameter of its own: it ties the handler to the params of the same name.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  const runGateway = <N extends GatewayOperationName>(name: N, run: Run): Promise<unknown> =>
    handlers[name]({ ...run, params: parseParams(name, run.input) });

  const runSend = (name: SendOperationName, run: Run): Promise<unknown> => {
    if (run.row === null) throw new WardenError('session_not_found');
    const { row, upload, signal } = run;
    return send(dependencies, { name, row, upload, signal, params: parseParams(name, run.input) });
  };

  const runChild = async (name: ChildOperationName, run: Run): Promise<unknown> => {
    if (run.row === null) throw new WardenError('session_not_found');
    const { deadlineMs } = operations[name];
    const params = await preparedParams(name, parseParams(name, run.input));
    return dependencies.supervisor.call(run.row.id, name, params, deadlineMs);
  };

  const run = (name: OperationName, request: Run): Promise<unknown> => {
    if (isGateway(name)) return runGateway(name, request);
    if (isSend(name)) return runSend(name, request);
    if (isChild(name)) return runChild(name, request);
    return assertNever(name);
  };

  for (const name of operationNames) {
    const operation: Operation = operations[name];
    const serve = async (ctx: RequestContext): Promise<void> => {
      const row = await sessionOfPath(dependencies, ctx, operation);
      const upload = await takeUpload(dependencies, ctx, operation);
      try {
        const published = fromPublishedForm(name, inputOf(ctx, operation));
        const input = isMultipart(ctx) ? coerceFields(operation.params, published) : published;
        const result = await withDeadline(ctx.res, operation.deadlineMs, async (signal) =>
          run(name, { input, row, upload, signal, principal: ctx.state.principal }),
        );
        if (result instanceof FileAnswer) answerFile(ctx, result);
        else await answer(dependencies, ctx, { name, result });
      } finally {
        // What no message has taken over by now is of no use to anybody.
        if (upload !== null) await dependencies.media.spool.releaseHeld(upload.file.path);
      }
    };
    for (const path of [operation.path, ...(operation.aliases ?? [])]) router.register(path, [operation.method], serve);
  }
  return router;
}

interface Run extends Pick<HandlerCall<GatewayOperationName>, 'principal'> {
  readonly input: unknown;
  readonly row: SessionRow | null;
  readonly upload: UploadedFile | null;
  readonly signal: AbortSignal;
}

const isGateway = (name: OperationName): name is GatewayOperationName => operations[name].runs === 'gateway';
const isChild = (name: OperationName): name is ChildOperationName => operations[name].runs === 'child';
const isSend = (name: OperationName): name is SendOperationName => operations[name].runs === 'send';

/** The session that the path names, if it names one. Whoever may not see it is told what strangers are: it is not there. */
async function sessionOfPath(
  { store }: ApiDependencies,
  ctx: RequestContext,
  operation: Operation,
): Promise<SessionRow | null> {
  const { principal } = ctx.state;
  if (principal === null) throw new WardenError('unauthorized');
  if (!operation.path.startsWith('/sessions/:id')) {
    if (!isAllowed(principal, operation.scope, null)) throw new WardenError('forbidden');
    return null;
  }
  const text = pathParams(ctx)['id'] ?? '';
  const id = parseSessionId(text);
  if (id === null) {
    throw invalidRequest([
      {
        field: 'id',
        expected: '1 to 64 letters, digits, dashes or underscores, beginning with a letter or digit',
        received: JSON.stringify(text.slice(0, 60)),
      },
    ]);
  }
  if (!principal.scopes.includes(operation.scope)) throw new WardenError('forbidden');
  if (!isAllowed(principal, operation.scope, id)) throw new WardenError('session_not_found');
  const row = await store.sessions.get(id);
  if (row === null) throw new WardenError('session_not_found');
  return row;
}

/** The file of a multipart body, held in the spool; its other fields become the body. Null for every other body. */
async function takeUpload(
  { media, settings }: ApiDependencies,
  ctx: RequestContext,
  { media: kind }: Operation,
): Promise<UploadedFile | null> {
  if (kind === undefined || !isMultipart(ctx)) return null;
  const { spool, preparer } = media;
  const capBytes = preparer.capOf(kind === 'any' ? null : kind);
  const { fields, upload } = await readMultipart(ctx, { spool, capBytes, fieldBytes: settings.bodyLimitBytes });
  ctx.state.body = fields;
  return upload;
}

const isMultipart = (ctx: RequestContext): boolean =>
  ctx.method === 'POST' && typeof ctx.is('multipart/form-data') === 'string';

/** One flat object: the body of POST and PATCH or the query of the others, and the path's parameters without the session. */
function inputOf(ctx: RequestContext, operation: Operation): unknown {
  const hasBody = operation.method === 'POST' || operation.method === 'PATCH';
  const source: unknown = hasBody ? (ctx.state.body ?? {}) : ctx.query;
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return source;
  const path = Object.entries(pathParams(ctx)).filter(([name]) => name !== 'id');
  return Object.fromEntries([...Object.entries(source), ...path]);
}

function pathParams(ctx: RequestContext): Readonly<Record<string, string>> {
  const params: unknown = ctx['params'];
  if (typeof params !== 'object' || params === null) return {};
  return Object.fromEntries(
    Object.entries(params).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Answers with what the result schema lets through, and nothing else. */
async function answer(
  dependencies: ApiDependencies,
  ctx: RequestContext,
  { name, result }: { readonly name: OperationName; readonly result: unknown },
): Promise<void> {
  const operation: Operation = operations[name];
  const parsed = operation.result.safeParse(result);
  if (!parsed.success) throw new WardenError('internal_error', { cause: parsed.error });
  if (name === 'getQr') {
    const picture = await pictures(dependencies, ctx, operations.getQr.result.parse(parsed.data).qr);
    if (picture !== null) {
      ctx.type = picture.type;
      ctx.body = picture.body;
      return;
    }
  }
  ctx.status = isPending(parsed.data) ? 202 : operation.status;
  ctx.body = parsed.data;
}

const isPending = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'status' in data && data.status === 'pending';
