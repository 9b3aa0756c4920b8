/** Who is logged in at this moment, and who waits for whom to be. */
import type { FaultBook } from '../faults.ts';
import type { BinaryNode, Connection, Connections, Device, User } from '../types.ts';
import type { ClientLink } from '../wire/client-link.ts';

/** A logged-in client; what it is sent passes through the faults of its account. */
export class LiveConnection implements Connection {
  readonly device: Device;
  readonly link: ClientLink;
  readonly #faults: FaultBook;

  constructor(device: Device, link: ClientLink, faults: FaultBook) {
    this.device = device;
    this.link = link;
    this.#faults = faults;
  }

  get isOpen(): boolean {
    return this.link.isOpen;
  }

  send(node: BinaryNode): boolean {
    if (!this.link.isOpen) return false;
    return this.#faults.isOn(this.device.user, 'silent') ? true : this.link.send(node);
  }

  close(): void {
    this.link.close();
  }
}

export class LiveConnections implements Connections {
  readonly #byDevice = new Map<Device, LiveConnection>();
  readonly #waiting = new Map<Device, Set<() => void>>();

  of(device: Device): LiveConnection | undefined {
    return this.#byDevice.get(device);
  }

  all(): IterableIterator<LiveConnection> {
    return this.#byDevice.values();
  }

  /** The live connections of all companions of an account. */
  ofUser(user: User): LiveConnection[] {
    return [...user.devices.values()].flatMap((device) => this.#byDevice.get(device) ?? []);
  }

  admit(connection: LiveConnection): void {
    this.#byDevice.set(connection.device, connection);
  }

  leave(connection: LiveConnection): void {
    if (this.#byDevice.get(connection.device) === connection) this.#byDevice.delete(connection.device);
  }

  /** The client has got all answers that it needs to call itself open. */
  markUsable(device: Device): void {
    for (const resolve of this.#waiting.get(device) ?? []) resolve();
    this.#waiting.delete(device);
  }

  /** Settles at the next `markUsable` of this device: with true, or with false when the time is over. */
  async nextUsable(device: Device, timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = this.#waiting.get(device) ?? new Set();
    const arrive = () => resolve(true);
    this.#waiting.set(device, waiting.add(arrive));
    const timer = setTimeout(() => resolve(false), timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(arrive);
    }
  }
}
