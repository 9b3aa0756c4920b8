/** A gateway with one sandbox session and one contact, for tests of media. */
import { at } from './api-client.ts';
import { eventually } from './eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle } from './gateway.ts';

export const contact = '15551234567';
export const account = '15550001111';

export interface MediaSession {
  readonly gateway: GatewayUnderTest;
  /** What the contact (or another reader) has received of a send, decrypted and verified. */
  received(sent: unknown, reader?: string): Promise<unknown>;
  /** Fails unless the simulator found nothing wrong; ends everything. */
  dispose(): Promise<void>;
}

export async function startMediaSession(
  env: Readonly<Record<string, string>> = {},
  webhook?: { readonly url: string },
): Promise<MediaSession> {
  const gateway = await GatewayUnderTest.start({ env: { SEND_TIMEOUT_MS: '5000', FFMPEG_PATH: 'none', ...env } });
  await pairedSession(gateway, 'support', { phone: account, ...(webhook === undefined ? {} : { webhook }) });
  await gateway.must(201, '/sessions/support/sandbox/contacts', { phone: contact });
  return {
    gateway,
    received: (sent, reader = contact) => {
      const id = at(sent, 'message_id');
      return eventually(
        async () => (await inbox(gateway, 'support', reader)).find((each) => at(each, 'message_id') === id),
        30_000,
        () => gateway.output.slice(-3000),
      );
    },
    dispose: async () => {
      try {
        await requireCleanOracle(gateway, 'support');
      } finally {
        await gateway.dispose();
      }
    },
  };
}
