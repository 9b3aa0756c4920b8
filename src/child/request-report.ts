/** What a child tells of a request of people that it has served. Pure. */
import type { ChildNotices, Origin } from '../contract/ipc.ts';

/** The part of a request that may be told: who asked for what, and never with what. */
export interface ToldRequest {
  readonly session: string;
  /** Of the operation. */
  readonly name: string;
  readonly origin: Origin;
  /** Of sends. */
  readonly messageId?: string;
}

interface Course {
  readonly durationMs: number;
  /** The code of the error that ended it; null for success. */
  readonly error: string | null;
}

export function requestLine(request: ToldRequest, { durationMs, error }: Course): ChildNotices['log'] {
  const { session, name, origin, messageId } = request;
  return {
    level: 'debug',
    message: messageId === undefined ? 'operation served' : 'send served',
    fields: {
      session,
      operation: name,
      ...(origin.requestId === null ? {} : { requestId: origin.requestId }),
      ...(messageId === undefined ? {} : { messageId }),
      durationMs: Math.round(durationMs),
      ...(error === null ? {} : { error }),
    },
  };
}

export function requestSpan(
  { session, name, messageId }: ToldRequest,
  course: Course & { readonly parent: string; readonly startedAt: number },
): ChildNotices['span'] {
  return {
    ...course,
    name: `child ${name}`,
    attributes: {
      'warden.session': session,
      'warden.operation': name,
      ...(messageId === undefined ? {} : { 'warden.message_id': messageId }),
    },
  };
}
