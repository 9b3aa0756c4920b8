/**
 * A gateway to be killed, and everything around it that must survive: a WhatsApp server, a receiver of webhooks and the
 * database, each a process or a server of its own. The gateway's sessions are ordinary ones.
 */
import { at } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { startDatabaseProxy, type DatabaseProxy } from './database-proxy.ts';
import { eventually } from './eventually.ts';
import { GatewayUnderTest, untilConnected } from './gateway.ts';
import { listAt } from './group-gateway.ts';
import { startHttpReceiver, type HttpReceiver } from './http-receiver.ts';
import { startSimulator, type SimulatorProcess } from './simulator.ts';

export interface RigOptions {
  /** Session id → phone number of its account. */
  readonly sessions: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** One that is disposed of with the rig; a database of the test server when absent. */
  readonly database?: TestDatabase;
}

/** Quick to come back, however often something is killed. */
const quick = {
  RESTART_BASE_MS: '50',
  RESTART_MAX_MS: '200',
  CRASH_LOOP_COUNT: '1000',
  MASS_FAILURE_COUNT: '1000',
  CONNECT_RATE: '100',
  CONNECT_BURST: '100',
  SEND_TIMEOUT_MS: '3000',
  WEBHOOK_RETRY_SCHEDULE: '0s,1s,1s,1s,1s,1s,1s,1s',
};

export class CrashRig {
  readonly server: SimulatorProcess;
  readonly database: TestDatabase;
  readonly proxy: DatabaseProxy;
  readonly receiver: HttpReceiver;
  readonly gateway: GatewayUnderTest;
  readonly sessions: Readonly<Record<string, string>>;

  private constructor(parts: Pick<CrashRig, 'server' | 'database' | 'proxy' | 'receiver' | 'gateway' | 'sessions'>) {
    this.server = parts.server;
    this.database = parts.database;
    this.proxy = parts.proxy;
    this.receiver = parts.receiver;
    this.gateway = parts.gateway;
    this.sessions = parts.sessions;
  }

  /** Starts everything and pairs the sessions; each has a webhook for all events. */
  static async start({ sessions, env = {}, database: given }: RigOptions): Promise<CrashRig> {
    const server = await startSimulator();
    const database = given ?? (await createTestDatabase());
    const proxy = await startDatabaseProxy(database.url);
    const receiver = await startHttpReceiver();
    const gateway = await GatewayUnderTest.start({
      database,
      env: {
        ...quick,
        ...env,
        DATABASE_URL: proxy.url,
        WHATSAPP_URL: server.wsUrl,
        WHATSAPP_ROOT_KEY: server.rootKeyHex,
      },
    });
    const rig = new CrashRig({ server, database, proxy, receiver, gateway, sessions });
    for (const [id, phone] of Object.entries(sessions)) await rig.#pair(id, phone);
    return rig;
  }

  async dispose(): Promise<void> {
    this.proxy.commits.release();
    await this.gateway.dispose();
    await this.proxy.close();
    await this.receiver.close();
    await this.database.dispose();
    await this.server.stop();
  }

  /** Asks the WhatsApp server for something about a session's account; fails unless it is carried out. */
  async whatsapp(session: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const url = `/accounts/${this.phoneOf(session)}${path}`;
    const answer = await this.server.api(body === undefined ? 'GET' : 'POST', url, body);
    if (answer.status >= 300) throw new Error(`${url} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Lets a contact write to a session; answers the message id. */
  async written(session: string, message: Readonly<Record<string, unknown>>): Promise<string> {
    return String((await this.whatsapp(session, '/messages', message))['message_id']);
  }

  phoneOf(session: string): string {
    return this.sessions[session] ?? '';
  }

  async childPid(session: string): Promise<number> {
    return Number(at((await this.gateway.get(`/sessions/${session}`)).json, 'child', 'pid'));
  }

  /** Ends a session's child with SIGKILL; answers whether there was one. */
  killChild(pid: number): boolean {
    try {
      // Zero would be this process' own group.
      return pid > 0 && process.kill(pid, 'SIGKILL');
    } catch {
      return false;
    }
  }

  /** Ends the gateway with SIGKILL and starts it again on what it left. */
  async killGateway(): Promise<void> {
    await this.gateway.kill();
    await this.gateway.boot();
  }

  async connected(): Promise<void> {
    for (const id of Object.keys(this.sessions)) await untilConnected(this.gateway, id);
  }

  /** What contacts have received from a session, oldest first. */
  async inbox(session: string, contact?: string): Promise<readonly unknown[]> {
    const query = contact === undefined ? '' : `?contact=${contact}`;
    return listAt(await this.whatsapp(session, `/inbox${query}`), 'messages');
  }

  /** As if the time had passed after which a delivery of a dispatcher that died is taken up by another. */
  async lapseLeases(): Promise<void> {
    await this.database.query("update deliveries set lease_until = now() where status = 'pending'");
  }

  async #pair(id: string, phone: string): Promise<void> {
    await this.gateway.must(201, '/sessions', { id, webhook: { url: this.receiver.url, events: ['all'] } });
    const code = await this.gateway.get(`/sessions/${id}/qr?wait=20`);
    const paired = await this.server.api('POST', '/phones/scan', { qr: at(code.json, 'qr'), phone });
    if (paired.status !== 200) throw new Error(`not paired: ${JSON.stringify(paired.body)}`);
    await untilConnected(this.gateway, id);
  }

  /** The requests of a webhook event so far; the same event may come more than once. */
  told(session: string, name: string): readonly unknown[] {
    return this.receiver.requests
      .map(({ json }) => json)
      .filter((json) => at(json, 'session_id') === session && at(json, 'event') === name);
  }

  /** Waits until a session's webhook hears of a message; answers its event ids, each once. */
  async heard(session: string, messageId: string, deadlineMs = 30_000): Promise<readonly string[]> {
    const ids = () =>
      this.told(session, 'message')
        .filter((json) => at(json, 'data', 'message_id') === messageId)
        .map((json) => String(at(json, 'id')));
    await eventually(
      () => ids().length > 0,
      deadlineMs,
      () => ({ told: this.told(session, 'message').length, output: this.gateway.output.slice(-3000) }),
    );
    return [...new Set(ids())];
  }
}
