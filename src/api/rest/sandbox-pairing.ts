/** The simulated phone at pairing: it scans the session's QR code, or types its pair code. */
import type { z } from 'zod';
import { WardenError } from '../../contract/errors.ts';
import { operations } from '../../contract/index.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isPaired } from '../presenters/session.ts';
import { control } from '../sandbox-control.ts';
import type { SandboxPort } from '../sandbox-port.ts';
import { waitForView } from '../wait-for-view.ts';
import { sessionOf, type HandlerCall, type Handlers } from './handler.ts';
import { qrOf } from './pairing.ts';
import { sandboxOf } from './sandbox-access.ts';

/** Of the operation's 30 seconds; what is left is for answering. */
const patienceMs = 28_000;

type Paired = z.output<typeof operations.sandboxScan.result>;

export function sandboxPairingHandlers(dependencies: ApiDependencies): Handlers<'sandboxScan' | 'sandboxEnterCode'> {
  const { store, supervisor, sandbox, clock } = dependencies;

  const untilConnected = async (row: SessionRow, timeoutMs: number, signal: AbortSignal): Promise<void> => {
    const isConnected = await waitForView({
      supervisor,
      store,
      row,
      until: (view) => (view.status === 'connected' ? true : null),
      timeoutMs,
      signal,
    });
    if (isConnected === null) {
      throw new WardenError('sandbox_unavailable', {
        message: `The phone has paired, but the session is not connected yet: ${supervisor.view(row).statusReason}`,
      });
    }
  };

  const scan = async (port: SandboxPort, call: HandlerCall<'sandboxScan'>, deadline: number): Promise<Paired> => {
    const row = sessionOf(call);
    const { phone } = call.params;
    let refused: string | undefined;
    for (;;) {
      const offer = await waitForView({
        supervisor,
        store,
        row,
        until: (view, current) => {
          const shown = qrOf(current, view);
          return shown === null || shown.code === refused ? null : shown;
        },
        timeoutMs: Math.max(0, deadline - clock.monotonic()),
        signal: call.signal,
      });
      if (offer === null) {
        throw new WardenError('sandbox_unavailable', {
          message: `There was no QR code to scan in time: ${supervisor.view(row).statusReason}`,
        });
      }
      try {
        return await control(port, {
          method: 'POST',
          path: '/phones/scan',
          body: { qr: offer.code, ...(phone === undefined ? {} : { phone }) },
          answer: operations.sandboxScan.result,
        });
      } catch (error) {
        // A code can be replaced by the next one between showing and scanning; the next one is good.
        const isRefused = error instanceof WardenError && error.code === 'unprocessable';
        if (!isRefused || supervisor.view(row).link?.qr?.code === offer.code) throw error;
        refused = offer.code;
      }
    }
  };

  return {
    sandboxScan: async (call) => {
      const row = sessionOf(call);
      const port = sandboxOf(row, sandbox);
      const deadline = clock.monotonic() + patienceMs;
      const paired = await scan(port, call, deadline);
      await untilConnected(row, Math.max(0, deadline - clock.monotonic()), call.signal);
      return paired;
    },

    sandboxEnterCode: async (call) => {
      const row = sessionOf(call);
      const port = sandboxOf(row, sandbox);
      const deadline = clock.monotonic() + patienceMs;
      const view = supervisor.view(row);
      if (isPaired(row, view)) throw new WardenError('already_paired');
      const offer = view.link?.pairCode ?? null;
      if (offer === null || plain(offer.code) !== plain(call.params.code)) throw new WardenError('wrong_pair_code');
      const paired = await control(port, {
        method: 'POST',
        path: '/phones/enter-code',
        body: { phone: offer.phone, code: plain(call.params.code) },
        answer: operations.sandboxEnterCode.result,
      }).catch((error: unknown) => {
        const isRefused = error instanceof WardenError && error.code === 'unprocessable';
        throw isRefused ? new WardenError('wrong_pair_code', { cause: error }) : error;
      });
      await untilConnected(row, Math.max(0, deadline - clock.monotonic()), call.signal);
      return paired;
    },
  };
}

const plain = (code: string): string => code.replaceAll('-', '').toUpperCase();
