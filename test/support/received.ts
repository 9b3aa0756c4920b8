/** What simulated people have received from a session. */
import { at } from './api-client.ts';
import { eventually } from './eventually.ts';
import { inbox } from './gateway.ts';
import type { PairedGateway } from './paired-gateway.ts';

/** The copy of a message that somebody received and decrypted, as soon as it `matches`. */
export function receivedBy(
  { gateway }: PairedGateway,
  copy: {
    readonly by: string;
    readonly id: string;
    readonly matches?: (item: unknown) => boolean;
  },
): Promise<unknown> {
  const { by: contact, id: messageId, matches = () => true } = copy;
  const find = async () =>
    (await inbox(gateway, 'support', contact)).find((item) => at(item, 'message_id') === messageId && matches(item));
  return eventually(find, 15_000, () => inbox(gateway, 'support', contact));
}
