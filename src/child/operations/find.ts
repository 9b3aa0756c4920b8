/**
 * Finds the handler of an operation by the name that came over the channel. The params were validated by the supervisor
 * against the operation's schema, so that the handler's own types hold.
 */
import { WardenError } from '../../contract/errors.ts';
import { trusted } from '../../contract/trusted.ts';
import type { Outgoing } from '../engine/outgoing.ts';
import { childHandlers, sendHandlers, type ChildContext, type SendContext } from './index.ts';

type AnyChildHandler = (params: unknown, context: ChildContext) => Promise<unknown>;
type AnySendHandler = (params: unknown, context: SendContext) => Outgoing | Promise<Outgoing>;

export function findChildHandler(name: string): AnyChildHandler {
  return trusted<AnyChildHandler>(found(childHandlers, name));
}

export function findSendHandler(name: string): AnySendHandler {
  return trusted<AnySendHandler>(found(sendHandlers, name));
}

function found(handlers: object, name: string): unknown {
  if (!Object.hasOwn(handlers, name)) {
    throw new WardenError('internal_error', { message: `this child has no handler for ${name}` });
  }
  return Reflect.get(handlers, name);
}
