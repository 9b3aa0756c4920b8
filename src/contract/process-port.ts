/** The IPC channel of Node as a port: the same for `process` in a child and for the ChildProcess in the supervisor. */
import type { Frame, Port } from './frame.ts';

/** What `process` and a ChildProcess have in common. */
export interface IpcEnd {
  readonly connected: boolean;
  send?(message: Frame, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/**
 * Both sides must have been spawned with `serialization: 'advanced'`. Every send has a callback: without one a send to a
 * dead process becomes an 'error' event (doc/api/child_process.md of Node).
 */
export function processPort(end: IpcEnd): Port {
  return {
    send: (frame, done) => {
      if (end.send === undefined || !end.connected) process.nextTick(done, new Error('the IPC channel is closed'));
      else end.send(frame, done);
    },
    onFrame: (listener) => {
      end.on('message', listener);
    },
    onClose: (listener) => {
      if (end.connected) end.on('disconnect', listener);
      else process.nextTick(listener);
    },
  };
}
