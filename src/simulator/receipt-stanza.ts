/** The stanzas in which the server hands a receipt of a simulated person to a companion. Pure. */
import { lidJid, pnJid } from './jid.ts';
import type { BinaryNode, PreKeyBundle, User } from './types.ts';
import { bigEndian, element } from './wire/node.ts';

export interface PersonReceipt {
  readonly reader: User;
  readonly addressing: 'lid' | 'pn';
  /** JID of the group that the message stands in. */
  readonly group?: string | undefined;
  readonly messageId: string;
  /** Unix seconds. */
  readonly at: number;
}

/** Key type of Curve25519 on the wire. */
const DJB_TYPE = 5;

/** Delivered has no type on the wire. */
export function receiptStanza(receipt: PersonReceipt, type: 'delivered' | 'read' | 'played'): BinaryNode {
  return element('receipt', {
    ...readerAttrs(receipt),
    id: receipt.messageId,
    type: type === 'delivered' ? undefined : type,
    t: String(receipt.at),
  });
}

/**
 * The person could not decrypt a message: asks its sender to encrypt it again, with keys for a new session. The account's
 * own phone names the chat as `recipient`; without it the client takes the message for somebody else's.
 */
export function retryReceiptStanza(
  receipt: PersonReceipt,
  retry: { readonly count: number; readonly bundle: PreKeyBundle; readonly recipient: string | null },
): BinaryNode {
  const { bundle } = retry;
  return element(
    'receipt',
    {
      ...readerAttrs(receipt),
      id: receipt.messageId,
      type: 'retry',
      t: String(receipt.at),
      recipient: retry.recipient ?? undefined,
    },
    [
      element('retry', { count: String(retry.count), id: receipt.messageId, t: String(receipt.at), v: '1' }),
      element('registration', {}, bigEndian(bundle.registrationId, 4)),
      element('keys', {}, [
        element('type', {}, Buffer.of(DJB_TYPE)),
        element('identity', {}, bundle.identityKey),
        ...(bundle.preKey === undefined
          ? []
          : [
              element('key', {}, [
                element('id', {}, bigEndian(bundle.preKey.keyId, 3)),
                element('value', {}, bundle.preKey.publicKey),
              ]),
            ]),
        element('skey', {}, [
          element('id', {}, bigEndian(bundle.signedPreKey.keyId, 3)),
          element('value', {}, bundle.signedPreKey.publicKey),
          element('signature', {}, bundle.signedPreKey.signature),
        ]),
      ]),
    ],
  );
}

/** The reader is the sender of the receipt, in a group its participant. */
function readerAttrs({ reader, addressing, group }: PersonReceipt) {
  const jid = addressing === 'lid' ? lidJid(reader.lid) : pnJid(reader.pn);
  return group === undefined ? { from: jid } : { from: group, participant: jid };
}
