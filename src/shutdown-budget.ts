/** Pure: how long a gateway may take to end. What stops it from outside must leave it longer than that. */

/** A stop that outlasts its budget by this much is ended by force. */
const forcedExitMs = 10_000;

/** From the signal to the end, whatever happens. */
export function longestStopMs(budget: { readonly drainDelayMs: number; readonly shutdownTimeoutMs: number }): number {
  return budget.drainDelayMs + budget.shutdownTimeoutMs + forcedExitMs;
}
