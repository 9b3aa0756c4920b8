/** When messages passed, for benchmarks: kept from the first question on, so that a sandbox pays nothing for it. */
import { machineMs } from '../clock.ts';
import type { BinaryNode, ControlRoute } from './types.ts';

/** `from_client`: its frame has arrived; `to_client`: it is about to be written to the socket. */
export type Passage = 'from_client' | 'to_client';

interface MessageTime {
  readonly passage: Passage;
  readonly message_id: string;
  /** On the machine's clock, see `machineMs`. */
  readonly at_ms: number;
}

/** More than a reader that asks every second falls behind by; older ones are forgotten. */
const kept = 50_000;

export class MessageTimes {
  #times: MessageTime[] = [];
  #isWanted = false;

  note(passage: Passage, node: BinaryNode, atMs = machineMs()): void {
    if (!this.#isWanted || node.tag !== 'message') return;
    this.#times.push({ passage, message_id: node.attrs['id'] ?? '', at_ms: atMs });
    if (this.#times.length > kept) this.#times.shift();
  }

  /** Takes what has been noted since the last call. */
  take(): readonly MessageTime[] {
    this.#isWanted = true;
    const taken = this.#times;
    this.#times = [];
    return taken;
  }
}

export function messageTimesRoute(times: MessageTimes): ControlRoute {
  return {
    method: 'POST',
    path: '/message-times/take',
    handle: () => ({ status: 200, body: { times: times.take() } }),
  };
}
