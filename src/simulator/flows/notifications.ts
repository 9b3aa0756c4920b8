/**
 * Notifications and calls that the server hands to companions: kept until the companion has acknowledged them, sent
 * again at login.
 */
import { decodeNode, encodeNode } from '../wire/codec.ts';
import type { BinaryNode, Connection, Connections, Device, Flow, Oracle, Records } from '../types.ts';

interface NotificationsContext {
  readonly records: Records;
  readonly connections: Connections;
  readonly oracle: Oracle;
}

const recordKind = 'notification';
const classes: ReadonlySet<string | undefined> = new Set(['notification', 'call']);

export class Notifications {
  readonly #context: NotificationsContext;
  /** Connections that have got what waited for them: others get it when they are active, and only once. */
  readonly #live = new WeakSet<Connection>();

  constructor(context: NotificationsContext) {
    this.#context = context;
  }

  /** Queues a notification or a call, which has an id, and sends it when the companion is there. */
  push(device: Device, node: BinaryNode): void {
    const id = node.attrs['id'] ?? '';
    this.#context.records.put(recordKind, recordKey(device, id), encodeNode(node));
    const connection = this.#context.connections.of(device);
    if (connection !== undefined && this.#live.has(connection)) this.#send(connection, node);
  }

  /** Sends what has not been acknowledged. */
  async resend(connection: Connection): Promise<void> {
    this.#live.add(connection);
    for (const { value } of this.#context.records.list(recordKind, recordKey(connection.device, ''))) {
      const node = await decodeNode(value);
      this.#send(connection, { ...node, attrs: { ...node.attrs, offline: '0' } });
    }
  }

  /** Forgets what waits for a companion. */
  drop(device: Device): void {
    for (const { key } of this.#context.records.list(recordKind, recordKey(device, ''))) {
      this.#context.records.delete(recordKind, key);
    }
  }

  /** Takes the acknowledgements of notifications. */
  readonly flow: Flow = {
    name: 'notification acks',
    handles: (node) => node.tag === 'ack' && classes.has(node.attrs['class']),
    handle: async (node, { device }) => {
      const id = node.attrs['id'] ?? '';
      this.#context.records.delete(recordKind, recordKey(device, id));
      this.#context.oracle.answered(device, oracleKey(id));
    },
  };

  #send(connection: Connection, node: BinaryNode): void {
    this.#context.oracle.awaiting(connection.device, oracleKey(node.attrs['id'] ?? ''));
    connection.send(node);
  }
}

function recordKey(device: Device, id: string): string {
  return `${device.jid} ${id}`;
}

function oracleKey(id: string): string {
  return `notification ${id}`;
}
