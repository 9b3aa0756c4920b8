/** The WhatsApp server as clients see it: takes connections in and gives each stanza to the flow that knows it. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { logger } from '../log.ts';
import { strike, unlinkDevice } from './flows/close.ts';
import { LinkCodes } from './flows/link-code.ts';
import { LoginDesk, refuse } from './flows/login.ts';
import { createLogoutFlow, createMiscFlow, ignoredFlow } from './flows/misc.ts';
import type { Notifications } from './flows/notifications.ts';
import { PairingDesk } from './flows/pairing.ts';
import { createPreKeysFlow } from './flows/prekeys.ts';
import { createUsyncFlow } from './flows/usync.ts';
import type { WireContext } from './flows/wire-context.ts';
import type { InstantFault } from './faults.ts';
import type { Registration } from './state/directory.ts';
import type { LiveConnection } from './state/live-connections.ts';
import type { BinaryNode, Device, Flow, User } from './types.ts';
import type { ServerIdentity } from './wire/certificates.ts';
import { ClientLink, type Hello } from './wire/client-link.ts';
import { describeNode, iqError } from './wire/node.ts';
import type { proto } from './wire/proto.ts';

const log = logger('simulator');

/** Frames of clients are far smaller; what is larger is a broken length. */
const maxFrameBytes = 16 * 1024 * 1024;

export class SimulatorServer {
  readonly #context: WireContext;
  readonly #identity: ServerIdentity;
  readonly #http: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxFrameBytes });
  readonly #sockets = new Set<Socket>();
  readonly #links = new Set<ClientLink>();
  readonly #connections = new Map<ClientLink, LiveConnection>();
  readonly #notifications: Notifications;
  readonly #pairing: PairingDesk;
  readonly #linkCodes: LinkCodes;
  readonly #logins: LoginDesk;
  readonly #usync: Flow & Disposable;
  readonly #flows: readonly Flow[];

  constructor(context: WireContext, identity: ServerIdentity) {
    this.#context = context;
    this.#identity = identity;
    this.#notifications = context.notifications;
    this.#pairing = new PairingDesk(context, this.#notifications);
    this.#linkCodes = new LinkCodes(context, this.#pairing);
    this.#pairing.addMethod(this.#linkCodes);
    this.#logins = new LoginDesk(context, this.#notifications);
    this.#usync = createUsyncFlow(context);
    this.#flows = [
      this.#logins.activeFlow,
      createPreKeysFlow(context),
      this.#usync,
      createMiscFlow(),
      createLogoutFlow(context, this.#notifications),
      this.#notifications.flow,
      ignoredFlow,
    ];
    this.#http = createServer((_request, response) => response.writeHead(426).end());
    this.#http.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  /** Listens; answers the port, which is of importance when 0 was asked for. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#http.once('error', reject);
    this.#http.listen(port, host, resolve);
    await promise;
    const address = this.#http.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    this.#usync[Symbol.dispose]();
    const links = [...this.#links];
    for (const link of links) link.terminate();
    this.#webSockets.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#http.close(resolve));
    await Promise.all(links.map((link) => link.drained()));
  }

  /** A phone scans a QR code; see `PairingDesk.scan`. */
  scan(scan: { readonly qr: string; readonly user: () => User }): Promise<Device> {
    return this.#pairing.scan(scan);
  }

  /** A code is typed into the phone with this number; see `LinkCodes.enter`. */
  enterCode(pn: string, code: string): Promise<Device> {
    return this.#linkCodes.enter(pn, code);
  }

  /** Carries out a fault that happens at once; answers how many companions it hit. */
  strike(user: User, fault: InstantFault, code: number | undefined): number {
    return strike(this.#context, this.#notifications, { user, fault, code });
  }

  /** Cuts the connections of one account, or of all, without a word. */
  disconnect(user: User | null): void {
    for (const connection of this.#connections.values()) {
      if (user === null || connection.device.user === user) connection.link.terminate();
    }
  }

  /** Unlinks one companion, as its owner can do on the phone. */
  unlink(device: Device): void {
    unlinkDevice(this.#context, this.#notifications, device);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { faults } = this.#context;
    if (faults.isOn(null, 'no_upgrade')) return;
    const status = faults.upgradeRefusal();
    if (status !== null) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const link = new ClientLink(webSocket, this.#identity, {
        answersHello: () => !faults.isOn(null, 'no_server_hello'),
        onHello: (from, hello) => this.#onHello(from, hello),
        onNode: (from, node, arrivedAtMs) => this.#onNode(from, node, arrivedAtMs),
        onClose: (from) => this.#onClose(from),
      });
      this.#links.add(link);
    });
  }

  #onHello(link: ClientLink, hello: Hello): void {
    const { devicePairingData } = hello.payload;
    if (!devicePairingData) {
      const connection = this.#logins.admit(link, hello);
      if (connection !== null) this.#connections.set(link, connection);
      return;
    }
    this.#context.oracle.handshake(null);
    const refusal = this.#context.faults.takeLoginRefusal(null);
    if (refusal !== null) return refuse(link, refusal);
    this.#logins.noteStranger(hello.noisePub);
    this.#pairing.admit(link, registrationOf(hello.noisePub, devicePairingData));
  }

  async #onNode(link: ClientLink, node: BinaryNode, arrivedAtMs: number): Promise<void> {
    this.#context.times.note('from_client', node, arrivedAtMs);
    if (this.#pairing.has(link)) return this.#pairing.onNode(link, node);
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    const { user } = connection.device;
    const { faults, oracle } = this.#context;
    if (faults.isOn(user, 'deaf')) return;
    if (node.tag === 'iq' && node.attrs['xmlns'] !== 'w:p' && faults.isOn(user, 'mute_queries')) return;
    // The client's answer to a query of the server, of which none is waited for.
    if (node.tag === 'iq' && node.attrs['type'] === 'result') return;
    const flow = this.#flowFor(node, connection);
    if (flow === undefined) {
      oracle.unknownStanza(user, describeNode(node));
      if (node.tag === 'iq') connection.send(iqError(node, 501, 'feature-not-implemented'));
      return;
    }
    try {
      await flow.handle(node, connection);
    } catch (error) {
      log.error({ err: error, flow: flow.name }, 'flow failed');
      oracle.unknownStanza(user, `${describeNode(node)}, on which the flow "${flow.name}" failed`);
    }
  }

  #flowFor(node: BinaryNode, connection: LiveConnection): Flow | undefined {
    const fits = (flow: Flow) => flow.handles(node, connection);
    return this.#flows.find(fits) ?? this.#context.messaging().flows.find(fits);
  }

  #onClose(link: ClientLink): void {
    this.#links.delete(link);
    this.#pairing.onClose(link);
    const connection = this.#connections.get(link);
    if (connection === undefined) return;
    this.#context.connections.leave(connection);
    // Stanzas that arrived before the end are still dealt with.
    void link.drained().then(() => this.#connections.delete(link));
  }
}

function registrationOf(noisePub: Buffer, data: proto.ClientPayload.IDevicePairingRegistrationData): Registration {
  return {
    noisePub,
    identityKey: data.eIdent ?? Buffer.alloc(0),
    registrationId: Buffer.from(data.eRegid ?? [0, 0, 0, 0]).readUInt32BE(),
    signedPreKey: {
      keyId: Buffer.from(data.eSkeyId ?? [0, 0, 0]).readUIntBE(0, 3),
      publicKey: data.eSkeyVal ?? Buffer.alloc(0),
      signature: data.eSkeySig ?? Buffer.alloc(0),
    },
  };
}
