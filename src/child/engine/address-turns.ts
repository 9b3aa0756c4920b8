/**
 * One Signal operation at a time for each address, over all sessions of the process.
 *
 * libsignal has a queue of its own for each address (src/queue_job.js), which all sessions of a process share, and runs
 * what waits in it in the asynchronous context of whichever job came first. The library's transactions hang from that
 * context: a job that had to wait would write its ratchet step into a transaction that is over, or into none. Whoever
 * takes turns here never finds a job in that queue, and so runs in the context of its own.
 */
const turns = new Map<string, Promise<unknown>>();

/** Runs `work` when nobody else is at work on the address; answers or throws what it does. */
export async function inTurn<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
  const turn = (turns.get(address) ?? Promise.resolve()).then(work);
  const settled = turn.then(
    () => undefined,
    () => undefined,
  );
  turns.set(address, settled);
  try {
    return await turn;
  } finally {
    if (turns.get(address) === settled) turns.delete(address);
  }
}
