import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';

/** What a token must be allowed to do. `admin` is about the gateway as a whole, the others about single sessions. */
export type Scope = 'read' | 'send' | 'manage' | 'admin';

/**
 * Where an operation is carried out.
 * - `gateway`: by a handler of the API on the supervisor's own state and the store.
 * - `child`: by the child that hosts the session; the API only validates and forwards.
 * - `send`: by the child, after the supervisor has accepted it: a message row with the WhatsApp message id is committed
 *   before the child hears of it. The child's handler turns the params into content; everything else is common.
 * - `stream`: by the API, with Server-Sent Events that go on for as long as the caller stays: `result` is the `data` of one
 *   of them, and the deadline is for the beginning.
 */
export type RunsIn = 'gateway' | 'child' | 'send' | 'stream';

/** One thing that a user can ask for: declared once, everything else is derived from it. */
export interface Operation<
  Runs extends RunsIn = RunsIn,
  P extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> {
  readonly runs: Runs;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below /api/v1, parameters as `:name`; `:id` is always the session and is not part of the params. */
  readonly path: string;
  readonly tag: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly description?: string;
  /** Body of POST and PATCH, query of GET and DELETE, path parameters of all: one flat object, unknown keys refused. */
  readonly params: P;
  readonly result: R;
  /**
   * The kind of media that comes with the request, as a URL, as base64 or as multipart with a field `file`; the supervisor
   * prepares it before the child sees the params.
   */
  readonly media?: 'image' | 'video' | 'audio' | 'document' | 'sticker' | 'any';
  /** A field of the body may hold a file as base64, so that the body may be larger than others. */
  readonly holdsFile?: true;
  /** Success is answered with a file in place of JSON. */
  readonly answersFile?: true;
  /** A send whose `message_id` names the message that it is about; its own id is made up. */
  readonly isAboutMessage?: true;
  /** HTTP status of success. */
  readonly status: 200 | 201 | 202;
  /** Milliseconds until the caller gets an answer, whatever happens. */
  readonly deadlineMs: number;
  /**
   * Whether an Idempotency-Key is honoured. `repeatable`: it is, and carrying the operation out twice comes to the same as
   * once, so that it is done anew when nobody knows how the first time ended.
   */
  readonly idempotent: boolean | 'repeatable';
  /**
   * Fields of the result, with dots between the steps, that are secrets shown once: the answer that is kept for an
   * Idempotency-Key holds null in their place, and so does a repetition of it.
   */
  readonly shownOnce?: readonly string[];
  /** The errors of its own, beside those that every route can answer. */
  readonly errors: readonly ErrorCode[];
  readonly example: {
    /** Params as a client would write them, path parameters included. */
    readonly params: Readonly<Record<string, unknown>>;
    readonly result: z.output<R>;
  };
  /** Other paths that serve the same operation. */
  readonly aliases?: readonly string[];
}

/** Declares an operation; exists for inference. */
export function defineOperation<Runs extends RunsIn, P extends z.ZodType, R extends z.ZodType>(
  operation: Operation<Runs, P, R>,
): Operation<Runs, P, R> {
  return operation;
}
