/** The control API's routes about phones, links, faults and the oracle; those about messages are in messaging.ts. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import {
  accountFault,
  type ActiveFault,
  type FaultRequest,
  globalFault,
  type InstantFault,
  instantFaults,
  lastingFaults,
  type LastingFault,
} from './faults.ts';
import type { WireContext } from './flows/wire-context.ts';
import { phoneDigits, pnJid, lidJid } from './jid.ts';
import type { SimulatorServer } from './server.ts';
import type { ControlAnswer, ControlRoute, Device, User } from './types.ts';

const phone = z
  .string()
  .transform((written) => phoneDigits(written))
  .refine((digits) => digits !== undefined, 'a phone number in international form')
  .transform((digits) => digits ?? '');
const scanBody = z.strictObject({ qr: z.string().min(1), phone: phone.optional() });
const clearQuery = z.enum(lastingFaults).optional();
const codeBody = z.strictObject({ phone, code: z.string().min(1).max(20) });

export function wireControlRoutes(context: WireContext, server: SimulatorServer): readonly ControlRoute[] {
  const { directory, faults, oracle } = context;
  const accountOf = (params: Readonly<Record<string, string>>) => context.account(params['phone'] ?? '');
  return [
    {
      method: 'POST',
      path: '/phones/scan',
      async handle({ body }) {
        const { qr, phone: pn } = scanBody.parse(body);
        const user = () => directory.create({ pn: pn ?? freeNumber(context), kind: 'account' });
        return paired(await server.scan({ qr, user }));
      },
    },
    {
      method: 'POST',
      path: '/phones/enter-code',
      async handle({ body }) {
        const { phone: pn, code } = codeBody.parse(body);
        return paired(await server.enterCode(pn, code));
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/faults',
      handle({ params, body }) {
        const request = accountFault.parse(body);
        const user = accountOf(params);
        if (isInstant(request.fault)) return struck(server.strike(user, request.fault, request.code));
        return struck(setFault(request, request.fault, user));
      },
    },
    {
      method: 'DELETE',
      path: '/accounts/:phone/faults',
      handle({ params, query }) {
        faults.clear(accountOf(params), clearQuery.parse(query.get('fault') ?? undefined));
        return { status: 200, body: { success: true, message: 'Faults cleared.' } };
      },
    },
    {
      method: 'GET',
      path: '/accounts/:phone/faults',
      handle: ({ params }) => ({ status: 200, body: { faults: faults.list(accountOf(params)).map(faultView) } }),
    },
    {
      method: 'GET',
      path: '/accounts/:phone/oracle',
      handle: ({ params }) => ({ status: 200, body: oracle.report(accountOf(params)) }),
    },
    {
      method: 'GET',
      path: '/accounts/:phone/arrivals',
      handle: ({ params }) => ({ status: 200, body: { message_ids: oracle.arrivals(accountOf(params)) } }),
    },
    {
      method: 'GET',
      path: '/accounts/:phone',
      handle: ({ params }) => ({ status: 200, body: accountView(context, accountOf(params)) }),
    },
    { method: 'GET', path: '/oracle', handle: () => ({ status: 200, body: oracle.total() }) },
    {
      method: 'POST',
      path: '/faults',
      handle({ body }) {
        const request = globalFault.parse(body);
        return struck(setFault(request, request.fault, null));
      },
    },
    {
      method: 'DELETE',
      path: '/faults',
      handle() {
        faults.clear(null);
        return { status: 200, body: { success: true, message: 'Faults cleared.' } };
      },
    },
  ];

  /** Answers on how many connections it had an effect at once. */
  function setFault(request: FaultRequest, fault: LastingFault, user: User | null): number {
    faults.set(user, fault, request);
    if (fault !== 'ban' && fault !== 'outdated') return 0;
    const hit = user === null ? [...context.connections.all()].length : context.connections.ofUser(user).length;
    server.disconnect(user);
    return hit;
  }
}

function isInstant(fault: InstantFault | LastingFault): fault is InstantFault {
  return instantFaults.some((name) => name === fault);
}

function faultView({ fault, code, delayMs, usesLeft, until }: ActiveFault) {
  const untilSeconds = until === null ? null : Math.ceil(until / 1000);
  return { fault, code, delay_ms: delayMs, count: usesLeft, until: untilSeconds };
}

function struck(connections: number): ControlAnswer {
  return { status: 200, body: { success: true, message: 'Fault set.', connections } };
}

function paired(device: Device): ControlAnswer {
  const { pn, lid } = device.user;
  return { status: 200, body: { phone_number: pn, jid: pnJid(pn), lid: lidJid(lid) } };
}

/** A fictitious number that nobody has. */
function freeNumber({ directory }: WireContext): string {
  for (;;) {
    const pn = `1555${String(randomInt(10_000_000)).padStart(7, '0')}`;
    if (directory.byPn(pn) === undefined) return pn;
  }
}

function accountView({ connections, directory }: WireContext, user: User) {
  return {
    phone_number: user.pn,
    jid: pnJid(user.pn),
    lid: lidJid(user.lid),
    name: user.name,
    devices: [...user.devices.values()].map((device) => ({
      jid: device.jid,
      lid: device.lid,
      key_index: device.keyIndex,
      is_connected: connections.of(device)?.isOpen ?? false,
      pre_keys: directory.preKeyCount(device),
    })),
  };
}
