/**
 * What the server holds for each companion until it is answered: messages and receipts, in order, durable before they
 * are sent. A stanza that is sent and not answered is sent again after the next login: at least once, never lost.
 */
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import type { MessageTimes } from '../message-times.ts';
import type { BinaryNode, Connection, Connections, Device, Oracle, Records } from '../types.ts';

interface Entry {
  readonly number: number;
  readonly node: BinaryNode;
}

interface DeviceQueue {
  readonly entries: Map<number, Entry>;
  /** Messages that were confirmed, newest last, for deliberate redelivery. */
  readonly confirmed: BinaryNode[];
  /**
   * Refusals that are still to come, by message id: a client asks for a message again first, and refuses the unreadable
   * copy afterwards. Such a refusal must not hit the new copy, which has the same id.
   */
  readonly refusalsDue: Map<string, number>;
  next: number;
}

export interface Pending {
  readonly messages: number;
  readonly receipts: number;
}

interface QueuesContext {
  readonly records: Records;
  readonly connections: Connections;
  readonly oracle: Oracle;
  readonly times: MessageTimes;
}

const KIND = 'queue';
const CONFIRMED_KEPT = 100;

const nodeSchema: z.ZodType<BinaryNode> = z.object({
  tag: z.string(),
  attrs: z.record(z.string(), z.string()),
  content: z.union([z.string(), z.instanceof(Uint8Array), z.array(z.lazy(() => nodeSchema))]).exactOptional(),
});

export class Queues {
  readonly #context: QueuesContext;
  readonly #byDevice = new Map<Device, DeviceQueue>();
  /** Connections whose offline queue has been sent: for them a stanza goes out at once. */
  readonly #live = new WeakSet<Connection>();

  constructor(context: QueuesContext) {
    this.#context = context;
  }

  /** Queues a stanza for the device and sends it when the device is there. Durable when this returns. */
  push(device: Device, node: BinaryNode): void {
    const queue = this.#of(device);
    const entry = { number: queue.next, node };
    queue.next += 1;
    this.#context.records.put(KIND, entryKey(device, entry.number), serialize(node));
    queue.entries.set(entry.number, entry);
    const connection = this.#context.connections.of(device);
    if (connection !== undefined && this.#live.has(connection)) this.#send(connection, entry, null);
  }

  pending(device: Device): Pending {
    const nodes = [...this.#of(device).entries.values()].map((entry) => entry.node);
    return {
      messages: nodes.filter((node) => node.tag === 'message').length,
      receipts: nodes.filter((node) => node.tag === 'receipt').length,
    };
  }

  /** Sends everything that waits, marked as offline; from now on stanzas go out at once. Answers how many it sent. */
  flush(connection: Connection): number {
    const queue = this.#of(connection.device);
    // What was to come on an earlier connection will not come any more.
    queue.refusalsDue.clear();
    const entries = [...queue.entries.values()];
    for (const [index, entry] of entries.entries()) this.#send(connection, entry, String(index + 1));
    this.#live.add(connection);
    return entries.length;
  }

  /** The device has these messages: by its receipt, or by an acknowledgement without error. */
  confirmMessages(device: Device, ids: readonly string[]): void {
    for (const entry of this.#of(device).entries.values()) {
      if (entry.node.tag === 'message' && ids.includes(entry.node.attrs['id'] ?? '')) this.#confirm(device, entry);
    }
  }

  /** The device could not use this message and gives up on the copy it got. */
  refuseMessage(device: Device, id: string): void {
    const { refusalsDue } = this.#of(device);
    const due = refusalsDue.get(id) ?? 0;
    if (due > 1) refusalsDue.set(id, due - 1);
    else refusalsDue.delete(id);
    if (due === 0) this.#removeMessage(device, id);
  }

  /** Takes back a message that the device asked for again. */
  withdrawMessage(device: Device, id: string): void {
    const { refusalsDue } = this.#of(device);
    refusalsDue.set(id, (refusalsDue.get(id) ?? 0) + 1);
    this.#removeMessage(device, id);
  }

  /** The device has acknowledged a receipt. */
  confirmReceipt(device: Device, id: string, type: string | undefined): void {
    for (const entry of this.#of(device).entries.values()) {
      const { tag, attrs } = entry.node;
      if (tag !== 'receipt' || attrs['id'] !== id || attrs['type'] !== type) continue;
      this.#remove(device, entry);
      return;
    }
  }

  /** Delivers a confirmed or waiting message once more; false when the device never had it. */
  redeliver(device: Device, id: string): boolean {
    const queue = this.#of(device);
    const node =
      queue.confirmed.findLast((candidate) => candidate.attrs['id'] === id) ??
      [...queue.entries.values()].find((entry) => entry.node.tag === 'message' && entry.node.attrs['id'] === id)?.node;
    if (node === undefined) return false;
    this.push(device, node);
    return true;
  }

  /** The device is unlinked: nothing waits for it any more. */
  discard(device: Device): void {
    for (const entry of this.#of(device).entries.values()) this.#remove(device, entry);
    this.#byDevice.delete(device);
  }

  #send(connection: Connection, entry: Entry, offline: string | null): void {
    const { node } = entry;
    this.#context.oracle.awaiting(connection.device, oracleKey(entry));
    this.#context.times.note('to_client', node);
    if (node.tag === 'message') this.#context.oracle.offered(connection.device, node.attrs['id'] ?? '');
    connection.send(offline === null ? node : { ...node, attrs: { ...node.attrs, offline } });
  }

  #confirm(device: Device, entry: Entry): void {
    this.#remove(device, entry);
    this.#context.oracle.delivered(device.user);
    const { confirmed } = this.#of(device);
    confirmed.push(entry.node);
    if (confirmed.length > CONFIRMED_KEPT) confirmed.shift();
  }

  #removeMessage(device: Device, id: string): void {
    for (const entry of this.#of(device).entries.values()) {
      if (entry.node.tag === 'message' && entry.node.attrs['id'] === id) this.#remove(device, entry);
    }
  }

  #remove(device: Device, entry: Entry): void {
    this.#of(device).entries.delete(entry.number);
    this.#context.records.delete(KIND, entryKey(device, entry.number));
    this.#context.oracle.answered(device, oracleKey(entry));
  }

  #of(device: Device): DeviceQueue {
    const known = this.#byDevice.get(device);
    if (known !== undefined) return known;
    const queue: DeviceQueue = { entries: new Map(), confirmed: [], refusalsDue: new Map(), next: 1 };
    for (const { key, value } of this.#context.records.list(KIND, `${device.lid}/`)) {
      const number = Number(key.slice(device.lid.length + 1));
      queue.entries.set(number, { number, node: nodeSchema.parse(deserialize(value)) });
      queue.next = number + 1;
    }
    this.#byDevice.set(device, queue);
    return queue;
  }
}

function entryKey(device: Device, number: number): string {
  return `${device.lid}/${String(number).padStart(12, '0')}`;
}

function oracleKey(entry: Entry): string {
  return `${entry.node.tag} ${entry.number}`;
}
