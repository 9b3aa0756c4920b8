/** Measures every request, and begins its trace. */
import type { AnsweredRequest, Observer } from '../../telemetry/observer.ts';
import { isTraceparent, tracedEntry } from '../../tracing.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';

/** Tells of a request when the head of its answer is known; a traceparent that came with it is gone on with. */
export function observeRequest(observer: Pick<Observer, 'requestAnswered'> | null): RequestMiddleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    const given = ctx.get('traceparent').trim();
    const start = {
      name: methodOf(ctx),
      kind: 'server',
      parent: isTraceparent(given) ? given : null,
      attributes: { 'http.request.method': methodOf(ctx), 'warden.request_id': ctx.state.requestId },
    } as const;
    await tracedEntry(start, async (span) => {
      try {
        await next();
      } finally {
        const answered = answeredOf(ctx, performance.now() - startedAt);
        observer?.requestAnswered(answered);
        span.rename(`${answered.method} ${answered.operation}`);
        span.set({
          'warden.operation': answered.operation,
          'http.response.status_code': answered.status,
          ...(ctx.state.route === null ? {} : { 'http.route': ctx.state.route }),
          ...(answered.error === null ? {} : { 'error.type': answered.error }),
        });
      }
    });
  };
}

function answeredOf(ctx: RequestContext, durationMs: number): AnsweredRequest {
  const { operation, error } = ctx.state;
  return { operation: operation ?? partOf(ctx.path), method: methodOf(ctx), status: ctx.status, durationMs, error };
}

/** What is no operation, in a few words: a label must not grow with what strangers ask for. */
function partOf(path: string): string {
  if (/^\/dashboard(?:\/|$)/.test(path)) return 'dashboard';
  if (/^\/(?:assets|docs|swagger-ui)(?:\/|$)/.test(path)) return 'static';
  return path === '/metrics' ? 'metrics' : 'other';
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS']);
const methodOf = ({ method }: RequestContext): string => (methods.has(method) ? method : 'OTHER');
