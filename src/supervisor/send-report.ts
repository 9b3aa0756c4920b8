/** What is told of each time that a message is handed to its child: to the log, and to what counts. */
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { AcceptedSend } from '../store/store.ts';
import type { Observer } from '../telemetry/observer.ts';

interface Listeners {
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: Pick<Observer, 'sendAcknowledged'> | undefined;
}

/** `outcome` is `sent`, `pending`, or the code of an error. */
export function reportSend({ log, clock, observer }: Listeners, accepted: AcceptedSend, outcome: string): void {
  const { session, id: messageId, operation, acceptedAt } = accepted;
  const latencyMs = clock.now() - acceptedAt;
  log.debug({ session, messageId, operation, outcome, latencyMs }, 'message handed over');
  if (outcome === 'sent') observer?.sendAcknowledged(latencyMs);
}
