/** What parts of the gateway tell as it happens; the metrics count it. Types only, and every part can do without. */
import type { SessionEvent } from '../contract/events.ts';

export interface AnsweredRequest {
  /** The operation, or which other part of the gateway answered. */
  readonly operation: string;
  readonly method: string;
  readonly status: number;
  /** Until the head of the answer. */
  readonly durationMs: number;
  /** The code of the error that was answered; null for none. */
  readonly error: string | null;
}

export interface Observer {
  requestAnswered(request: AnsweredRequest): void;
  /** An event of a session is committed. */
  eventCommitted(event: SessionEvent): void;
  /** WhatsApp has acknowledged a message, so long after it was accepted. */
  sendAcknowledged(latencyMs: number): void;
  /** A process has ended; causes are those of supervisor/exit-cause.ts. */
  childEnded(cause: string): void;
  /** A request was refused because its child has too much to do already. */
  ipcRefused(): void;
  /** One HTTP request of a delivery has ended. */
  deliveryAttempted(outcome: 'delivered' | 'retry' | 'probed' | 'dead', durationMs: number): void;
}
