/** Which handler carries out which operation; an operation without one does not compile. */
import type { ChildOperationName, Params, Result, SendOperationName } from '../../contract/index.ts';
import type { OutgoingMessage } from '../engine/sending.ts';
import type { WASocket } from '../engine/link-socket.ts';
import { sendText } from './messages.ts';

export interface ChildContext {
  readonly sock: WASocket;
}

/** Carries an operation out on an open link. */
export type ChildHandler<N extends ChildOperationName> = (
  params: Params<N>,
  context: ChildContext,
) => Promise<Result<N>>;
/** Turns the params of a send into what is to be sent. */
export type SendHandler<N extends SendOperationName> = (params: Params<N>) => OutgoingMessage;

export const childHandlers: { readonly [N in ChildOperationName]: ChildHandler<N> } = {};

export const sendHandlers: { readonly [N in SendOperationName]: SendHandler<N> } = { sendText };
