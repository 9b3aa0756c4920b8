/** How the time that a stop may take is shared by what has to end, one after the other. Pure; milliseconds. */

/** Longest time for answers under way, and for webhook requests. */
const longestShareMs = 5_000;
const requestsShare = 0.2;
/** What is left for commits and connections at the end. */
const storeMs = 1_000;
/** However late it is: children that are not asked to close their links lose what they have not recorded yet. */
const leastForChildrenMs = 3_000;
const leastForWebhooksMs = 500;

/** For requests under way, of the whole time. */
export const requestsBudgetMs = (totalMs: number): number => Math.min(longestShareMs, totalMs * requestsShare);

/** For children, of what is left; webhooks that they have still to tell something come after them. */
export const childrenBudgetMs = (leftMs: number): number =>
  Math.max(leastForChildrenMs, leftMs - Math.min(longestShareMs, leftMs * requestsShare) - storeMs);

/** For webhook requests under way, of what is left. */
export const webhooksBudgetMs = (leftMs: number): number =>
  Math.min(longestShareMs, Math.max(leastForWebhooksMs, leftMs - storeMs));

/** A stop that outlasts its budget by this much is ended by force. */
const forcedExitMs = 10_000;

/** From the signal to the end, whatever happens: what stops the gateway from outside must leave it longer than that. */
export function longestStopMs(budget: { readonly drainDelayMs: number; readonly shutdownTimeoutMs: number }): number {
  return budget.drainDelayMs + budget.shutdownTimeoutMs + forcedExitMs;
}
