/**
 * Keeps ciphertext back until its message is kept. The library encrypts and sends in one go, so that the only place
 * between the two is the end of an encryption; whatever is encrypted for a message runs in the context of its send.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const gates = new AsyncLocalStorage<Promise<void>>();

/** Runs the library's send of a message: no ciphertext of it is handed out before `kept` resolves, or if it rejects. */
export function behindGate<Result>(kept: Promise<void>, send: () => Promise<Result>): Promise<Result> {
  return gates.run(kept, send);
}

/** Rejects when the message must not go out. */
export async function gateOpened(): Promise<void> {
  await gates.getStore();
}
