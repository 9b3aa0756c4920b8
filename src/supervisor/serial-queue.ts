/** Runs tasks one after the other, in order; a task that fails does not keep the next from running. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  run<Value>(task: () => Promise<Value>): Promise<Value> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => null);
    return result;
  }

  /** Resolves when everything handed over so far has ended. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
