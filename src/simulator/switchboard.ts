/** Simulated people call accounts: the sessions are told, and told again when somebody answers or gives up. */
import { randomBytes } from 'node:crypto';
import { lidJid, pnJid } from './jid.ts';
import type { Blocklist } from './state/blocklist.ts';
import type { Call, Calls, CallStatus } from './state/calls.ts';
import type { BinaryNode, SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export interface NewCall {
  readonly from: User;
  readonly to: User;
  readonly isVideo: boolean;
  readonly group: string | null;
}

export interface SwitchboardParts {
  readonly context: SimulatorContext;
  readonly calls: Calls;
  readonly blocklist: Blocklist;
}

/** `accept`: answered on the account's phone; `timeout`: nobody answered; `terminate`: the caller hung up. */
export type CallAction = 'accept' | 'timeout' | 'terminate';

const statusAfter: Readonly<Record<CallAction, CallStatus>> = {
  accept: 'accepted',
  timeout: 'timed_out',
  terminate: 'ended',
};

export class Switchboard {
  readonly #parts: SwitchboardParts;

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
  }

  /** Rings; somebody whom the account has blocked rings nowhere. */
  ring({ from, to, isVideo, group }: NewCall): Call {
    const { context, calls, blocklist } = this.#parts;
    const status = blocklist.has(to, from) ? 'blocked' : 'ringing';
    const id = randomBytes(16).toString('hex').toUpperCase();
    const call: Call = { id, from, to, isVideo, group, at: Math.floor(context.clock.now() / 1000), status };
    calls.save(call);
    if (status === 'blocked') return call;
    const attrs = {
      ...callAttrs(call),
      caller_pn: pnJid(from.pn),
      ...(group === null ? {} : { type: 'group', 'group-jid': group }),
    };
    const media = [element('audio', { enc: 'opus', rate: '16000' }), ...(isVideo ? [element('video')] : [])];
    this.#tell(call, element('offer', attrs, media));
    return call;
  }

  /** Goes on with a call that rings or is answered. */
  follow(call: Call, action: CallAction): Call {
    const changed = { ...call, status: statusAfter[action] };
    this.#parts.calls.save(changed);
    if (call.status === 'blocked') return changed;
    const attrs = callAttrs(call);
    const reason = action === 'timeout' ? { reason: 'timeout' } : {};
    this.#tell(changed, element(action === 'accept' ? 'accept' : 'terminate', { ...attrs, ...reason }));
    return changed;
  }

  /** One session has rejected the call: it stops ringing on the others. */
  reject(call: Call): void {
    const changed: Call = { ...call, status: 'rejected' };
    this.#parts.calls.save(changed);
    this.#tell(changed, element('terminate', { ...callAttrs(call), reason: 'rejected_elsewhere' }));
  }

  #tell(call: Call, action: BinaryNode): void {
    const { context } = this.#parts;
    const t = String(Math.floor(context.clock.now() / 1000));
    for (const device of call.to.devices.values()) {
      const attrs = { from: lidJid(call.from.lid), id: context.stanzaId(), t, notify: call.from.name };
      context.notify(device, element('call', { ...attrs, platform: 'iphone', version: '2.24.1.78' }, [action]));
    }
  }
}

function callAttrs(call: Call) {
  return { 'call-id': call.id, 'call-creator': lidJid(call.from.lid) };
}
