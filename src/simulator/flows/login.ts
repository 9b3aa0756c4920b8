/** A client that says it is linked: whether it may come in, and what it is told when it does. */
import { createHash } from 'node:crypto';
import { LiveConnection } from '../state/live-connections.ts';
import type { Device, Flow } from '../types.ts';
import type { ClientLink, Hello } from '../wire/client-link.ts';
import { child, element, iqResult, isIq, SERVER_JID } from '../wire/node.ts';
import { replaceStream } from './close.ts';
import type { Notifications } from './notifications.ts';
import type { WireContext } from './wire-context.ts';

/** The `<failure>` of a login: WhatsApp's number, and of a temporary ban its cause and length. */
interface Refusal {
  readonly reason: number;
  readonly ban: { readonly code: number; readonly expireS: number } | null;
}

type Verdict =
  | { readonly tag: 'admitted'; readonly device: Device }
  | { readonly tag: 'refused'; readonly refusal: Refusal };

export class LoginDesk {
  readonly #context: WireContext;
  readonly #notifications: Notifications;
  /** Clients that have asked to be linked and were not: WhatsApp takes their logins for those of unlinked devices. */
  readonly #strangers = new Set<string>();

  constructor(context: WireContext, notifications: Notifications) {
    this.#context = context;
    this.#notifications = notifications;
  }

  /** Remembers the Noise key of a client that registers. */
  noteStranger(noisePub: Buffer): void {
    this.#strangers.add(noisePub.toString('hex'));
  }

  /** Refuses the login or answers with the connection; an older one of the same companion is replaced. */
  admit(link: ClientLink, hello: Hello): LiveConnection | null {
    const verdict = this.#judge(hello);
    if (verdict.tag === 'refused') {
      refuse(link, verdict.refusal);
      return null;
    }
    const { device } = verdict;
    const { connections, clock, oracle, faults } = this.#context;
    const old = connections.of(device);
    if (old !== undefined) replaceStream(old.link);
    const connection = new LiveConnection(device, link, faults);
    connections.admit(connection);
    oracle.login(device.user);
    const now = String(Math.floor(clock.now() / 1000));
    connection.send(
      element('success', {
        t: now,
        // Without it the client forgets its own LID.
        lid: device.lid,
        props: '27',
        abprops: '1',
        group_abprops: '1',
        location: 'sim',
        creation: now,
      }),
    );
    connection.send(edgeRouting(device));
    return connection;
  }

  /** The client says that it is active: now it gets what has waited for it. */
  readonly activeFlow: Flow = {
    name: 'passive',
    handles: (node) => isIq(node, 'passive', 'set'),
    handle: async (node, connection) => {
      connection.send(iqResult(node));
      if (child(node, 'active') === undefined) return;
      await this.#notifications.resend(connection);
      await this.#context.messaging().onLogin(connection);
    },
  };

  #judge({ noisePub, payload }: Hello): Verdict {
    const { directory, faults, oracle } = this.#context;
    const device = directory.byNoisePub(noisePub);
    oracle.handshake(device?.user ?? null);
    const injected = faults.takeLoginRefusal(device?.user ?? null);
    if (injected !== null) return { tag: 'refused', refusal: injected };
    if (device === undefined) {
      const isUnlinked = directory.wasUnlinked(noisePub) || this.#strangers.has(noisePub.toString('hex'));
      // A 401 makes clients throw their keys away, so one that was never seen is told to come again.
      return refused(isUnlinked ? 401 : 503);
    }
    const isSelf = String(payload.username ?? '') === device.user.pn && payload.device === device.id;
    return isSelf ? { tag: 'admitted', device } : refused(401);
  }
}

/** Tells a client that it may not log in, and closes. */
export function refuse(link: ClientLink, { reason, ban }: Refusal): void {
  const attrs = { reason: String(reason), location: 'sim' };
  const details = ban === null ? {} : { code: String(ban.code), expire: String(ban.expireS) };
  link.send(element('failure', { ...attrs, ...details }));
  link.close();
}

function refused(reason: number): Verdict {
  return { tag: 'refused', refusal: { reason, ban: null } };
}

/** The client puts these bytes in front of its next intro. */
function edgeRouting(device: Device) {
  const routingInfo = createHash('sha256').update(device.jid).digest().subarray(0, 12);
  return element('ib', { from: SERVER_JID }, [element('edge_routing', {}, [element('routing_info', {}, routingInfo)])]);
}
