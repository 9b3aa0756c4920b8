/** What is put under load, a gateway or plain Baileys, as those see it who measure: the same for both. */
import { randomBytes } from 'node:crypto';
import { machineMs } from '../src/clock.ts';
import { at, createApiClient, type ApiClient } from '../test/support/api-client.ts';
import type { HttpReceiver, ReceivedRequest } from '../test/support/http-receiver.ts';
import type { SimulatorProcess } from '../test/support/simulator.ts';
import { sessionPhone } from './fixtures.ts';
import { processTree, type ProcessFacts } from './processes.ts';

export interface LoadText {
  /** Number of the session. */
  readonly session: number;
  /** Phone number of the other side. */
  readonly contact: string;
  readonly text: string;
  readonly id: string;
}

export interface LoadTarget {
  readonly name: 'gateway' | 'baileys';
  readonly sessions: number;
  readonly simulator: SimulatorUnderLoad;
  readonly receiver: HttpReceiver;
  /** Resolves when the request has been answered; throws when it was refused. */
  send(message: LoadText): Promise<void>;
  /** All that do its work, the simulator included. */
  processes(): readonly ProcessFacts[];
  stop(): Promise<void>;
}

const contactsPerSession = 4;

/** The message with this number: sessions take turns, and the contacts of each. */
export function loadText(index: number, sessions: number, direction: 'in' | 'out'): LoadText {
  const session = index % sessions;
  const contact = `1555300${String(session * contactsPerSession + (Math.floor(index / sessions) % contactsPerSession)).padStart(4, '0')}`;
  const id = `${direction === 'in' ? '3A' : '3EB0'}${randomBytes(9).toString('hex').toUpperCase()}`;
  return { session, contact, text: `Message ${index} of the bench, about as long as people write.`, id };
}

/** How many messages it takes until everybody has written to everybody. */
export const contactsOf = (sessions: number): number => sessions * contactsPerSession;

type Passage = 'from_client' | 'to_client';

/** The simulator's control API, and when it saw which message. */
export class SimulatorUnderLoad {
  readonly #process: SimulatorProcess;
  readonly #control: ApiClient;
  readonly #seen = { from_client: new Map<string, number>(), to_client: new Map<string, number>() };

  constructor(simulator: SimulatorProcess) {
    this.#process = simulator;
    this.#control = createApiClient(simulator.controlUrl, simulator.token);
  }

  /** Has a contact write to a session. */
  async push({ session, contact, text, id }: LoadText): Promise<void> {
    const body = { from: contact, text, message_id: id };
    const { status } = await this.#control.call('POST', `/accounts/${sessionPhone(session)}/messages`, { body });
    if (status !== 201) throw new Error(`the simulator answered ${status}`);
  }

  /** Message id → when its frame came, or went; on the machine's clock, since the simulator was asked first. */
  async times(passage: Passage): Promise<ReadonlyMap<string, number>> {
    const { json } = await this.#control.call('POST', '/message-times/take');
    const times: unknown = at(json, 'times');
    if (!Array.isArray(times)) throw new Error('the simulator does not tell its times');
    for (const each of times) {
      const seen = this.#seen[at(each, 'passage') === 'to_client' ? 'to_client' : 'from_client'];
      const id = String(at(each, 'message_id'));
      // The first counts; what is sent again is the same message.
      if (!seen.has(id)) seen.set(id, Number(at(each, 'at_ms')));
    }
    return this.#seen[passage];
  }

  processes(): readonly ProcessFacts[] {
    return processTree(this.#process.pid, 'simulator');
  }

  async stop(): Promise<void> {
    await this.#control.close();
    await this.#process.stop();
  }
}

/** The message that a request at the receiver is about; null for other events. */
export function messageIdOf({ json }: ReceivedRequest): string | null {
  const id = at(json, 'data', 'message_id');
  return at(json, 'event') === 'message' && typeof id === 'string' ? id : null;
}

/** From the clock of `performance` in this process to the machine's. */
const offsetMs = machineMs() - performance.now();

export const arrivedAtMs = ({ at: when }: ReceivedRequest): number => when + offsetMs;
