/**
 * For which request a piece of work is done, known wherever that work leads within this process: log lines carry its id,
 * spans find their parent. What outlives a request (a child, a queue, a timer for all) is begun outside of it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Origin } from './contract/ipc.ts';

const storage = new AsyncLocalStorage<Origin | null>();
const nobody: Origin = { requestId: null, traceparent: null };

/** Does work for somebody; `null` in a field leaves it unknown. */
export const inScope = <Value>(origin: Origin, work: () => Value): Value => storage.run(origin, work);

/** Does work that belongs to no request, whoever happens to begin it. */
export const outsideRequests = <Value>(work: () => Value): Value => storage.run(null, work);

/** For whom the present work is done; with nulls when for nobody. */
export const currentOrigin = (): Origin => storage.getStore() ?? nobody;
