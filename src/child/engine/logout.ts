import type { WASocket } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { answered, normaliseFailure } from './failures.ts';

/**
 * Unlinks this device and waits until WhatsApp confirms; the library's own logout does not wait. WhatsApp may end the
 * stream before its answer arrives: that confirms it too.
 */
export async function confirmedLogout(sock: WASocket): Promise<void> {
  const jid = sock.user?.id;
  if (jid === undefined) throw new WardenError('not_paired');
  try {
    const answer: unknown = await sock.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' },
      content: [{ tag: 'remove-companion-device', attrs: { jid, reason: 'user_initiated' } }],
    });
    answered(answer, 'log out');
  } catch (error) {
    throw normaliseFailure(error, 'log out');
  }
}
