import type { WAMessageKey, WASocket } from '@whiskeysockets/baileys';
import { answered, normaliseFailure } from './failures.ts';

/**
 * Tells the writers that their messages were read, or only the account's own devices when its privacy settings say so.
 * The keys are those that the messages came with. Throws `whatsapp_timeout` when the settings could not be asked for.
 */
export async function markRead(sock: WASocket, keys: readonly WAMessageKey[], queryTimeoutMs: number): Promise<void> {
  if (keys.length === 0) return;
  const what = 'mark the messages as read';
  const startedAt = performance.now();
  try {
    await sock.readMessages([...keys]);
  } catch (error) {
    // The library takes the missing answer apart.
    if (performance.now() - startedAt >= queryTimeoutMs) answered(undefined, what);
    throw normaliseFailure(error, what);
  }
}
