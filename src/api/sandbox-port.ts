/** The simulator's control API as the sandbox routes see it; who starts the simulator, and where it listens, is not their business. */
export interface SandboxPort {
  /** Sends JSON and answers JSON, whatever the status; rejects when the simulator cannot be reached. */
  control(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
}
