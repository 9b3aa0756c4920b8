/** A gateway-like account on the simulator: a linked Baileys client, and what tests ask of it and of the simulator. */
import assert from 'node:assert/strict';
import { generateMessageIDV2, type proto } from '@whiskeysockets/baileys';
import { BaileysClient, type ClientAuth } from './baileys-client.ts';
import { eventually } from './eventually.ts';
import type { SimulatorProcess } from './simulator.ts';

type Status = proto.WebMessageInfo.Status;
export type Fields = Readonly<Record<string, unknown>>;

export class SimulatedAccount {
  readonly client: BaileysClient;
  readonly phone: string;
  /** What it sent, by id: from here the client answers retry receipts. */
  readonly sent = new Map<string, proto.IMessage>();
  #simulator: SimulatorProcess;

  constructor(simulator: SimulatorProcess, phone: string, auth?: ClientAuth) {
    this.#simulator = simulator;
    this.phone = phone;
    this.client = new BaileysClient({
      wsUrl: simulator.wsUrl,
      rootKeyHex: simulator.rootKeyHex,
      ...(auth === undefined ? {} : { auth }),
      config: { getMessage: async (key) => this.sent.get(key.id ?? '') },
    });
  }

  get jid(): string {
    return `${this.phone}@s.whatsapp.net`;
  }

  /** Pairs by QR code and waits until the connection is open. */
  async link(): Promise<this> {
    this.client.connect();
    const qr = await this.client.qr();
    const { status, body } = await this.#simulator.api('POST', '/phones/scan', { qr, phone: this.phone });
    assert.equal(status, 200, JSON.stringify(body));
    await this.client.untilOpen();
    return this;
  }

  /** Follows the account to a simulator that was started anew at the same address. */
  use(simulator: SimulatorProcess): void {
    this.#simulator = simulator;
  }

  /** Sends a text; answers its id as soon as it is on the wire. */
  async send(to: string, text: string, id = generateMessageIDV2()): Promise<string> {
    this.sent.set(id, { conversation: text });
    await this.client.socket.relayMessage(to, { conversation: text }, { messageId: id });
    return id;
  }

  /** The server's acknowledgement of a message: its attributes. */
  ack(id: string): Promise<Fields> {
    return eventually(() => this.client.acks.find((node) => node.attrs['id'] === id)?.attrs);
  }

  /** Waits for a readable message with this text. */
  received(text: string, deadlineMs?: number) {
    return eventually(
      () => this.client.messages.find(({ message }) => textOf(message) === text),
      deadlineMs,
      () => this.client.messages.map(({ key, message, messageStubType }) => ({ key, message, messageStubType })),
    );
  }

  /** Waits until a message of this account has reached a status: 3 delivered, 4 read, 5 played. */
  async untilStatus(id: string, status: Status): Promise<void> {
    await eventually(
      () =>
        this.client.messageUpdates.some(({ key, update }) => key.id === id && isAtLeast(update.status, status)) ||
        // The library merges a receipt into the message when both fall into one of its buffer windows.
        this.client.messages.some((message) => message.key.id === id && isAtLeast(message.status, status)),
      undefined,
      () => this.client.messageUpdates,
    );
  }

  /** A person writes to the account, or its own phone with `from: 'phone'`. */
  async write(message: Fields): Promise<string> {
    const { status, body } = await this.post('messages', message);
    assert.equal(status, 201, JSON.stringify(body));
    return String(body['message_id']);
  }

  async post(path: string, body: Fields) {
    return this.#simulator.api('POST', `/accounts/${this.phone}/${path}`, body);
  }

  async clearFaults(): Promise<void> {
    await this.#simulator.api('DELETE', `/accounts/${this.phone}/faults`);
  }

  async inbox(query = ''): Promise<readonly Fields[]> {
    const { status, body } = await this.#simulator.api('GET', `/accounts/${this.phone}/inbox${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return listOf(body['messages']);
  }

  /** Waits until a person has received a message, and answers its copy. */
  async inboxCopy(messageId: string, reader: string): Promise<Fields> {
    let last: readonly Fields[] = [];
    return eventually(
      async () => {
        last = await this.inbox();
        return last.find((copy) => copy['message_id'] === messageId && copy['to'] === reader);
      },
      undefined,
      () => last,
    );
  }

  async receipts(messageId: string): Promise<readonly Fields[]> {
    const { body } = await this.#simulator.api('GET', `/accounts/${this.phone}/receipts?message_id=${messageId}`);
    return listOf(body['receipts']);
  }

  async oracle(): Promise<Fields> {
    const { status, body } = await this.#simulator.api('GET', `/accounts/${this.phone}/oracle`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** Waits until everything is answered, and asserts that nothing is wrong. */
  async assertClean(): Promise<void> {
    let last: Fields = {};
    await eventually(
      async () => {
        last = await this.oracle();
        return last['unacknowledged_stanzas'] === 0;
      },
      undefined,
      () => last,
    );
    assert.deepEqual(last['unknown_stanzas'], []);
    assert.equal(last['repeated_ratchet_positions'], 0);
    assert.equal(last['resent_ciphertexts'], 0);
  }
}

/** Creates or changes a simulated contact; answers its JID. */
export async function contact(simulator: SimulatorProcess, settings: Fields): Promise<string> {
  const { status, body } = await simulator.api('POST', '/contacts', settings);
  assert.equal(status, 201, JSON.stringify(body));
  return String(body['jid']);
}

function isAtLeast(reached: Status | null | undefined, wanted: Status): boolean {
  return reached !== undefined && reached !== null && reached >= wanted;
}

export function textOf(message: proto.IMessage | null | undefined): string | null {
  return message?.conversation ?? message?.extendedTextMessage?.text ?? null;
}

function listOf(value: unknown): readonly Fields[] {
  assert.ok(Array.isArray(value));
  return value.map((item: unknown) =>
    typeof item === 'object' && item !== null ? Object.fromEntries(Object.entries(item)) : {},
  );
}
