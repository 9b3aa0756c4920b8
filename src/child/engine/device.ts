/** What the credentials tell of the linked device. */
import { jidDecode, jidNormalizedUser } from '@whiskeysockets/baileys';
import type { DeviceInfo } from '../../contract/ipc.ts';
import type { AuthenticationCreds } from './values.ts';

/** `registered` is set by pair codes only; an account that has signed this device is what makes a pairing. */
export function isPaired(creds: AuthenticationCreds): boolean {
  return creds.me?.id !== undefined && creds.account !== undefined;
}

export function deviceOf(creds: AuthenticationCreds, appVersion: string): DeviceInfo | null {
  const { me } = creds;
  const decoded = me === undefined ? undefined : jidDecode(me.id);
  if (me === undefined || decoded === undefined) return null;
  return {
    jid: jidNormalizedUser(me.id),
    lid: me.lid ? jidNormalizedUser(me.lid) : null,
    deviceId: decoded.device ?? 0,
    phoneNumber: decoded.user,
    pushName: me.name && me.name !== '~' ? me.name : null,
    platform: creds.platform ?? null,
    appVersion,
  };
}
