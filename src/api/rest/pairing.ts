/** Pairing a session with a phone: QR codes and pair codes. */
import { WardenError } from '../../contract/errors.ts';
import type { PairingOffer } from '../../contract/ipc.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isPaired, unixSecondsOf } from '../presenters/session.ts';
import type { SessionView } from '../supervisor-port.ts';
import { waitForView } from '../wait-for-view.ts';
import { sessionOf, type Handlers } from './handler.ts';

/** How long a request without `wait` is held while the session is on its way to its first code. */
const firstCodeGraceMs = 5000;

export function pairingHandlers(dependencies: ApiDependencies): Handlers<'getQr' | 'pairByCode'> {
  const { store, supervisor, qrImages, clock } = dependencies;

  const present = async (offer: PairingOffer, view: SessionView) => {
    const picture = `data:image/png;base64,${(await qrImages.png(offer.code)).toString('base64')}`;
    return {
      qr: offer.code,
      qr_image: picture,
      qr_code: picture,
      qr_codes: [offer.code],
      timeout_seconds: secondsLeft(offer.expiresAt, clock.now()),
      expires_at: unixSecondsOf(offer.expiresAt),
      status: view.status,
    };
  };

  return {
    getQr: async (call) => {
      const row = sessionOf(call);
      const { wait, after } = call.params;
      const view = supervisor.view(row);
      const offered = qrOf(row, view);
      const isFresh = offered !== null && offered.code !== after;
      if (isFresh || (wait === 0 && offered !== null)) return present(offered, view);

      const found = await waitForView({
        supervisor,
        store,
        row,
        until: (current, currentRow) => {
          const offer = qrOf(currentRow, current);
          return offer === null || offer.code === after ? null : { offer, current };
        },
        timeoutMs: wait === 0 ? firstCodeGraceMs : wait * 1000,
        signal: call.signal,
      });
      if (found !== null) return present(found.offer, found.current);

      // The same code is still the one to scan, or there has not been one in time.
      const last = supervisor.view(row);
      const stale = qrOf(row, last);
      if (stale !== null) return present(stale, last);
      throw new WardenError('not_pairing', {
        message: `There is no QR code yet: ${last.statusReason} Repeat with ?wait=20 to wait for it.`,
      });
    },

    pairByCode: async (call) => {
      const row = sessionOf(call);
      const view = supervisor.view(row);
      if (isPaired(row, view)) throw new WardenError('already_paired');
      const phone = call.params.phone ?? call.params.phone_number;
      if (phone === undefined) throw new WardenError('invalid_request');
      const offer = await supervisor.pairCode(row.id, {
        phone,
        customCode: call.params.custom_code?.replace('-', '').toUpperCase() ?? null,
        showPushNotification: call.params.show_push_notification,
      });
      return {
        code: offer.code,
        phone,
        timeout_seconds: secondsLeft(offer.expiresAt, clock.now()),
        expires_at: unixSecondsOf(offer.expiresAt),
        status: supervisor.view(row).status,
      };
    },
  };
}

/** The code to scan now, or null while the session is on its way to one. Throws when none will come by waiting. */
export function qrOf(row: SessionRow, view: SessionView): PairingOffer | null {
  if (isPaired(row, view)) throw new WardenError('already_paired');
  switch (view.status) {
    case 'waiting_for_qr':
      return view.link?.qr ?? null;
    case 'connecting':
      return null;
    default:
      throw new WardenError('not_pairing', {
        message: `The session shows no QR code: ${view.statusReason} Call …/connect to begin pairing.`,
      });
  }
}

const secondsLeft = (expiresAt: number, now: number): number => Math.max(0, Math.ceil((expiresAt - now) / 1000));
