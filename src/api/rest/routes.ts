/** The routes of all operations, derived from the contract: lookup, scope, params, deadline, result. */
import { Router } from '@koa/router';
import { WardenError } from '../../contract/errors.ts';
import { operationNames, operations, type OperationName, type StreamOperationName } from '../../contract/index.ts';
import { parseSessionId } from '../../contract/ids.ts';
import { fromPublishedForm } from '../../contract/published-forms.ts';
import type { Operation } from '../../contract/operation.ts';
import type { SessionRow } from '../../store/store.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import { auditEntryOf, isAudited, statusOfError } from '../audit/audited.ts';
import { isAllowed } from '../auth/principal.ts';
import { callerOf } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { UploadSlots } from '../limits/upload-slots.ts';
import type { RequestLimits } from '../middleware/limit-requests.ts';
import { coerceFields, readMultipart } from '../middleware/multipart.ts';
import type { RequestContext, RequestState } from '../state.ts';
import { withDeadline } from './deadline.ts';
import { answerStream } from './event-streams.ts';
import { answerFile, FileAnswer } from './file-answer.ts';
import { ReplayedAnswer, type RequestKey } from './idempotency.ts';
import { keyHeader, replayedHeader, requestKey } from './idempotency-key.ts';
import { outcomeOf } from './outcome.ts';
import type { OperationRunner } from './operation-runner.ts';
import { pictures } from './pictures.ts';
import { invalidRequest } from './validation.ts';

export const apiPrefix = '/api/v1';

interface Serving {
  readonly run: OperationRunner;
  readonly limits: Pick<RequestLimits, 'ofSession'>;
  readonly uploads: UploadSlots;
}

/** All routes below /api/v1, one per path and alias of every operation. */
export function operationRoutes(
  dependencies: ApiDependencies,
  { run, limits, uploads }: Serving,
): Router<RequestState> {
  // Case matters, as it does for whoever guards a path by its prefix.
  const router = new Router<RequestState>({ prefix: apiPrefix, sensitive: true });
  for (const name of operationNames) {
    const operation: Operation = operations[name];
    const serve = async (ctx: RequestContext): Promise<void> => {
      ctx.state.operation = name;
      ctx.state.route = `${apiPrefix}${operation.path}`;
      if (isStream(name)) {
        const input = inputOf(ctx, operation);
        await answerStream(dependencies, ctx, { name, input, row: () => sessionOfPath(dependencies, ctx, operation) });
        return;
      }
      const caller = callerOf(ctx);
      const row = await sessionOfPath(dependencies, ctx, operation).catch((error: unknown) => {
        if (isAudited(name)) dependencies.audit.record(refusalOf(ctx, name, error));
        throw error;
      });
      // How fast a session sends is the business of its pacing.
      if (row !== null && operation.runs !== 'send') limits.ofSession(ctx, row.id);
      const key = keyOf(dependencies, ctx, operation);
      const upload = isUpload(ctx, operation)
        ? await uploads(ctx, () => takeUpload(dependencies, ctx, operation))
        : null;
      try {
        const published = fromPublishedForm(name, inputOf(ctx, operation));
        const input = isMultipart(ctx) ? coerceFields(operation.params, published) : published;
        const result = await withDeadline(ctx.res, operation.deadlineMs, async (signal) =>
          run(name, { input, row, upload, key, caller, signal }),
        );
        if (result instanceof FileAnswer) answerFile(ctx, result);
        else if (result instanceof ReplayedAnswer) answerAgain(ctx, result);
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

const isStream = (name: OperationName): name is StreamOperationName => operations[name].runs === 'stream';

/** The session that the path names, if it names one. Whoever may not see it is told what strangers are: it is not there. */
async function sessionOfPath(
  { store }: ApiDependencies,
  ctx: RequestContext,
  operation: Operation,
): Promise<SessionRow | null> {
  const { principal } = callerOf(ctx);
  if (!operation.path.startsWith('/sessions/:id')) {
    // What is not about the gateway as a whole answers with what the principal may see.
    const isNarrowed = operation.scope !== 'admin' && principal.scopes.includes(operation.scope);
    if (!isNarrowed && !isAllowed(principal, operation.scope, null)) throw new WardenError('forbidden');
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

/** An attempt that was turned away, for the audit log. */
function refusalOf(ctx: RequestContext, name: OperationName, error: unknown): ReturnType<typeof auditEntryOf> {
  const params = pathParams(ctx);
  const session = params['id']?.slice(0, 64) ?? null;
  return auditEntryOf({ name, caller: callerOf(ctx), session, input: params, status: statusOfError(error) });
}

/** The Idempotency-Key of a request to an operation that honours one. */
function keyOf({ settings }: ApiDependencies, ctx: RequestContext, operation: Operation): RequestKey | null {
  const value = ctx.req.headers[keyHeader.toLowerCase()];
  const key = requestKey(value?.toString(), operation, settings.idempotency.isRequired);
  if (key === null) return null;
  return { principal: ctx.state.principal?.id ?? '', key };
}

const isUpload = (ctx: RequestContext, { media }: Operation): boolean => media !== undefined && isMultipart(ctx);

/** The file of a multipart body, held in the spool; its other fields become the body. Null when it holds none. */
async function takeUpload(
  { media, settings }: ApiDependencies,
  ctx: RequestContext,
  { media: kind = 'any' }: Operation,
): Promise<UploadedFile | null> {
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
  const { status, body } = outcomeOf(name, result);
  if (name === 'getQr') {
    const picture = await pictures(dependencies, ctx, operations.getQr.result.parse(body).qr);
    if (picture !== null) {
      ctx.type = picture.type;
      ctx.body = picture.body;
      return;
    }
  }
  ctx.status = status;
  ctx.body = body;
}

/** Repeats an answer, or throws the error that it was. */
function answerAgain(ctx: RequestContext, { outcome }: ReplayedAnswer): void {
  ctx.set(replayedHeader, 'true');
  if (outcome.tag === 'error') throw WardenError.fromPlain(outcome.error);
  ctx.status = outcome.status;
  ctx.body = outcome.body;
}
