/**
 * The first half of pairing by code: tells WhatsApp which phone is to be linked and makes the code. The library has a
 * function for it, which neither sees a refusal nor can leave out the push notification.
 */
import { randomBytes } from 'node:crypto';
import {
  Browsers,
  aesEncryptCTR,
  bytesToCrockford,
  derivePairingCodeKey,
  getCompanionPlatformId,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { ToChild } from '../../contract/ipc.ts';
import { answered, normaliseFailure } from './failures.ts';

/** Eight characters of the alphabet 1-9 A-Z without I, O, U; shown as ABCD-EFGH. */
export async function requestPairCode(
  sock: WASocket,
  request: Omit<ToChild['pair_code']['body'], 'session'>,
): Promise<string> {
  const { creds } = sock.authState;
  const code = request.customCode ?? bytesToCrockford(randomBytes(5));
  const jid = `${request.phone}@s.whatsapp.net`;
  creds.pairingCode = code;
  creds.me = { id: jid, name: '~' };
  sock.ev.emit('creds.update', { pairingCode: code, me: creds.me });
  const browser = Browsers.macOS('Chrome');
  const child = (tag: string, content: Uint8Array | string) => ({ tag, attrs: {}, content });
  try {
    const answer: unknown = await sock.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' },
      content: [
        {
          tag: 'link_code_companion_reg',
          attrs: {
            jid,
            stage: 'companion_hello',
            should_show_push_notification: String(request.showPushNotification),
          },
          content: [
            child(
              'link_code_pairing_wrapped_companion_ephemeral_pub',
              await wrapEphemeralKey(code, creds.pairingEphemeralKeyPair.public),
            ),
            child('companion_server_auth_key_pub', creds.noiseKey.public),
            child('companion_platform_id', getCompanionPlatformId(browser)),
            child('companion_platform_display', `${browser[1]} (${browser[0]})`),
            child('link_code_pairing_nonce', '0'),
          ],
        },
      ],
    });
    answered(answer, 'ask for a pair code');
    return `${code.slice(0, 4)}-${code.slice(4)}`;
  } catch (error) {
    throw normaliseFailure(error, 'ask for a pair code');
  }
}

/** salt 32 ‖ iv 16 ‖ AES-256-CTR of the key under PBKDF2 of the code (the WhatsApp Web link-code protocol). */
async function wrapEphemeralKey(code: string, publicKey: Uint8Array): Promise<Uint8Array> {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const key = await derivePairingCodeKey(code, salt);
  return Buffer.concat([salt, iv, aesEncryptCTR(publicKey, key, iv)]);
}
