/**
 * Requests, answers and notices over a port (an IPC channel of Node, or a fake one in tests): ids, deadlines, a credit
 * window and flush. The same class serves both sides. No zod here: children load it.
 */
import type { PlainError } from './errors.ts';

/** Request name → its body and answer. */
export type RequestMap = Readonly<Record<string, { body: unknown; answer: unknown }>>;
export type NoticeMap = object;

/** What travels. `kind` and never `cmd`: Node reserves messages with `cmd: 'NODE_…'`. */
export type Frame =
  | { readonly kind: 'request'; readonly id: number; readonly name: string; readonly body: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly body: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'notice'; readonly name: string; readonly body: unknown };

export interface Port {
  /** Hands a frame over; calls back when it has left this process, or with the error that prevented it. */
  send(frame: Frame, done: (error: Error | null) => void): void;
  onFrame(listener: (frame: unknown) => void): void;
  onClose(listener: () => void): void;
}
