import type { WASocket } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';

/** What an account's devices know in common needs keys that its phone shares. Throws `app_state_unavailable`. */
export function requireAppState(sock: WASocket): void {
  if (!sock.authState.creds.myAppStateKeyId) throw new WardenError('app_state_unavailable');
}
