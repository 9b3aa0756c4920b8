/** A gateway with one paired session, the webhook that hears its events, and short ways to ask and to wait. */
import { at, type ApiAnswer } from './api-client.ts';
import { eventually } from './eventually.ts';
import { GatewayUnderTest, pairedSession, requireCleanOracle } from './gateway.ts';
import { startHttpReceiver, type HttpReceiver } from './http-receiver.ts';

const eventDeadlineMs = 15_000;
export const ownPhone = '15550001111';

export class PairedGateway {
  readonly gateway: GatewayUnderTest;
  readonly #receiver: HttpReceiver;
  readonly #session: string;

  private constructor(gateway: GatewayUnderTest, receiver: HttpReceiver, session: string) {
    this.gateway = gateway;
    this.#receiver = receiver;
    this.#session = session;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<PairedGateway> {
    const gateway = await GatewayUnderTest.start({ env });
    const receiver = await startHttpReceiver();
    try {
      await pairedSession(gateway, 'support', { phone: ownPhone, webhook: { url: receiver.url } });
    } catch (error) {
      await gateway.dispose();
      await receiver.close();
      throw error;
    }
    return new PairedGateway(gateway, receiver, 'support');
  }

  /** Ends all of it; fails when the simulator found something wrong with the session. */
  async dispose(): Promise<void> {
    try {
      await requireCleanOracle(this.gateway, this.#session);
    } finally {
      await this.gateway.dispose();
      await this.#receiver.close();
    }
  }

  get(path: string): Promise<ApiAnswer> {
    return this.gateway.get(`/sessions/${this.#session}${path}`);
  }

  post(path: string, body: unknown = {}): Promise<ApiAnswer> {
    return this.gateway.post(`/sessions/${this.#session}${path}`, body);
  }

  /** Answers the JSON of a success, and fails the test with the whole answer otherwise. */
  async ask(path: string, body?: unknown): Promise<unknown> {
    const answer = body === undefined ? await this.get(path) : await this.post(path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${path} answered ${answer.status}: ${answer.text}\n${this.gateway.output.slice(-3000)}`);
    }
    return answer.json;
  }

  contact(phone: string, change: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.ask('/sandbox/contacts', { phone, ...change });
  }

  fault(fault: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.ask('/sandbox/faults', fault);
  }

  async clearFaults(): Promise<void> {
    await this.gateway.delete(`/sessions/${this.#session}/sandbox/faults`);
  }

  /** The data of all events of a name so far, in order. */
  events(name: string): readonly unknown[] {
    return this.#receiver.requests
      .filter(({ json }) => at(json, 'event') === name)
      .map(({ json }): unknown => at(json, 'data'));
  }

  /** The data of the first event of a name that matches, awaited. */
  event(name: string, matches: (data: unknown) => boolean = () => true): Promise<unknown> {
    return eventually(
      () => this.events(name).find(matches),
      eventDeadlineMs,
      () => this.#receiver.requests.map(({ json }) => json),
    );
  }
}

/** The type of the error in an answer. */
export const errorOf = (answer: ApiAnswer): unknown => at(answer.json, 'error', 'type');
