/** The operations that answer a stream of events. */
import { operations, type Params, type StreamOperationName } from '../../contract/index.ts';
import { errorCatalogue, toWardenError, WardenError } from '../../contract/errors.ts';
import type { SessionRow } from '../../store/store.ts';
import { callerOf } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { RequestContext } from '../state.ts';
import type { EventStream } from '../streams/event-stream.ts';
import type { Wanted } from '../streams/selection.ts';
import { comeBackLater, readsStreams } from '../streams/sse-frame.ts';
import { withDeadline } from './deadline.ts';
import { parseParams } from './validation.ts';

interface Request {
  readonly name: StreamOperationName;
  readonly input: unknown;
  /** Throws for a session that the caller may not see. */
  readonly row: () => Promise<SessionRow | null>;
}

/** Answers with a stream that goes on until the client, the session or the gateway ends it. */
export async function answerStream(
  dependencies: ApiDependencies,
  ctx: RequestContext,
  request: Request,
): Promise<void> {
  try {
    const stream = await withDeadline(ctx.res, operations[request.name].deadlineMs, async (signal) => {
      const opened = await open(dependencies, ctx, { ...request, signal });
      // Nobody is there any more to close it.
      if (signal.aborted) opened?.destroy();
      return opened;
    });
    begin(ctx, stream);
  } catch (thrown) {
    const error = toWardenError(thrown);
    const isPassing = [503, 504].includes(errorCatalogue[error.code].status);
    if (!isPassing || !readsStreams(ctx.get('accept'))) throw error;
    begin(ctx, comeBackLater(error.message));
  }
}

function begin(ctx: RequestContext, body: EventStream | Buffer | null): void {
  ctx.status = 200;
  ctx.set('content-type', 'text/event-stream; charset=utf-8');
  ctx.set('cache-control', 'no-store');
  // Proxies that collect answers would hold every message back.
  ctx.set('x-accel-buffering', 'no');
  // Nothing follows a stream on its connection; what is left open would hold up a stop.
  ctx.set('connection', 'close');
  if (body !== null) ctx.body = body;
}

/** Null when only the headers were asked for. */
async function open(
  { store, streams }: ApiDependencies,
  ctx: RequestContext,
  { name, input, row, signal }: Request & { readonly signal: AbortSignal },
): Promise<EventStream | null> {
  const session = await row();
  const params: Params<StreamOperationName> = parseParams(name, input);
  const sessions = 'session' in params ? (params.session ?? null) : null;
  const names = params.event === undefined || params.event.includes('all') ? null : params.event;
  const wanted: Wanted = { only: session?.id ?? null, sessions, names };
  const { principal } = ctx.state;
  const visible = principal?.sessions ?? [];
  const hidden = sessions?.find((id) => visible !== 'all' && !visible.includes(id));
  const existing = sessions === null ? null : await store.events.existing(sessions);
  const missing = hidden ?? sessions?.find((id) => existing?.has(id) === false);
  if (missing !== undefined) {
    throw new WardenError('session_not_found', { message: `There is no session ${missing}.` });
  }
  if (ctx.method === 'HEAD') return null;
  // A client that reconnects sends the header; what stands in its URL is from its first time.
  const lastEventId = ctx.get('last-event-id') || (params.last_event_id ?? '');
  const { address, principal: holder } = callerOf(ctx);
  return streams.open({
    wanted,
    lastEventId,
    holder: { token: holder.id, address },
    principal: ctx.state.principalNow,
    signal,
  });
}
