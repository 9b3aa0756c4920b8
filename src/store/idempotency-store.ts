/** What the store keeps of requests that came with an Idempotency-Key. Types only; times are unix milliseconds. */
import type { PlainError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { NewMessage } from './scheduled-store.ts';

/** Where a key is unique: nobody can find out about the requests of others. */
export interface IdempotencyScope {
  readonly principal: string;
  /** Null for operations that are about no session. */
  readonly session: SessionId | null;
  readonly operation: string;
  readonly key: string;
}

/** How a request ended, to be answered again. */
export type IdempotencyOutcome =
  | { readonly tag: 'answer'; readonly status: number; readonly body: unknown }
  | { readonly tag: 'error'; readonly error: PlainError }
  /** It may or may not have been carried out. */
  | { readonly tag: 'unknown' };

export interface IdempotencyRow {
  readonly ordinal: number;
  readonly fingerprint: string;
  /** The message that a send has become; null for other operations. */
  readonly messageId: string | null;
  /** Until then whoever took the key may still be at it. */
  readonly leaseUntil: number | null;
  readonly outcome: IdempotencyOutcome | null;
  readonly expiresAt: number;
}

export interface KeyClaim {
  readonly scope: IdempotencyScope;
  readonly fingerprint: string;
  /** Null for a message, whose own row tells where it is. */
  readonly leaseUntil: number | null;
  readonly expiresAt: number;
}

export interface IdempotencyStore {
  /** Also a row that has expired. */
  find(scope: IdempotencyScope): Promise<IdempotencyRow | null>;
  /**
   * Takes a key and answers the ordinal of its row; null when somebody has it. With a message both are kept or neither;
   * throws what `messages.accept` throws.
   */
  claim(claim: KeyClaim, message: NewMessage | null): Promise<number | null>;
  finish(ordinal: number, outcome: IdempotencyOutcome): Promise<void>;
  /** Gives a key free. */
  release(ordinal: number): Promise<void>;
  /** Deletes a batch of what has expired; answers whether more are left. */
  prune(now: number): Promise<boolean>;
}
