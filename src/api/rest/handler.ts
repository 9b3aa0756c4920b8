/** The shape of what carries out a `gateway` operation. */
import type { GatewayOperationName, Params, Result } from '../../contract/index.ts';
import { WardenError } from '../../contract/errors.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import type { SessionRow } from '../../store/store.ts';
import type { Caller } from '../caller.ts';

export interface HandlerCall<N extends GatewayOperationName> {
  readonly params: Params<N>;
  /** The session of the path, already looked up; null on routes without one. */
  readonly row: SessionRow | null;
  /** The file of a multipart body, held in the spool for the time of the call. */
  readonly upload: UploadedFile | null;
  readonly caller: Caller;
  /** Aborts when the caller is gone or the operation's deadline has passed. */
  readonly signal: AbortSignal;
}

export type Handler<N extends GatewayOperationName> = (call: HandlerCall<N>) => Promise<Result<N>>;

/** One handler per name: a missing one does not compile. */
export type Handlers<Names extends GatewayOperationName> = { readonly [N in Names]: Handler<N> };

/** The session of a call on a `/sessions/:id` route. */
export function sessionOf(call: { readonly row: SessionRow | null }): SessionRow {
  if (call.row === null) throw new WardenError('session_not_found');
  return call.row;
}
