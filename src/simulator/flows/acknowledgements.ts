/** The server's acknowledgements of messages, and the faults that touch them: left out, or late. */
import type { BinaryNode, Connection, SimulatorContext } from '../types.ts';
import { messageAck } from './message-ack.ts';

export class Acknowledgements {
  readonly #context: SimulatorContext;
  readonly #late = new Set<NodeJS.Timeout>();

  constructor(context: SimulatorContext) {
    this.#context = context;
  }

  /** The message is queued for everybody who gets a copy. */
  accept(connection: Connection, message: BinaryNode): void {
    const { faults, clock } = this.#context;
    const account = connection.device.user;
    if (faults.takeDroppedAck(account)) return;
    const ack = messageAck(message, clock.now(), null);
    const delayMs = faults.ackDelayMs(account);
    if (delayMs === 0) {
      connection.send(ack);
      return;
    }
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      connection.send(ack);
    }, delayMs);
    this.#late.add(timer);
  }

  /** The message goes to nobody. */
  refuse(connection: Connection, message: BinaryNode, error: number): void {
    connection.send(messageAck(message, this.#context.clock.now(), error));
  }

  close(): void {
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
  }
}
