/**
 * Signs what a webhook receives, in the two ways receivers know: the gateway's own hex HMAC, and Standard Webhooks 1.0.0
 * (https://www.standardwebhooks.com). Pure.
 */
import { createHmac } from 'node:crypto';

const standardPrefix = 'whsec_';
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export interface SignedDelivery {
  /** The event's id; the same over all attempts. */
  readonly id: string;
  /** Unix milliseconds of this attempt. */
  readonly at: number;
  /** Exactly the bytes that are sent. */
  readonly body: Buffer;
  /** The secret as the user configured it. */
  readonly secret: string;
  /** The one before the last rotation, while it still signs; null when there is none. */
  readonly previousSecret: string | null;
}

/**
 * The signature headers of one attempt. The key of `x-signature` is the secret as a UTF-8 string, prefix and all: that is
 * what a receiver does that knows nothing of prefixes. The keys of `webhook-signature`, which can carry several, are
 * what `standardKey` answers.
 */
export function signatureHeaders(delivery: SignedDelivery): Readonly<Record<string, string>> {
  const { id, at, body, secret, previousSecret } = delivery;
  const plain = createHmac('sha256', secret).update(body).digest('hex');
  const timestamp = String(Math.floor(at / 1000));
  const standard = (key: string): string =>
    createHmac('sha256', standardKey(key)).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const secrets = previousSecret === null ? [secret] : [secret, previousSecret];
  return {
    'x-signature': plain,
    'x-webhook-signature': `sha256=${plain}`,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((key) => `v1,${standard(key)}`).join(' '),
  };
}

/** The bytes that a Standard Webhooks secret stands for; a secret without the prefix stands for its own UTF-8 bytes. */
export function standardKey(secret: string): Buffer {
  const encoded = secret.startsWith(standardPrefix) ? secret.slice(standardPrefix.length) : null;
  if (encoded === null || encoded === '' || !base64Pattern.test(encoded)) return Buffer.from(secret, 'utf8');
  return Buffer.from(encoded, 'base64');
}

/** Whether a secret that claims to be a Standard Webhooks one (`whsec_…`) is one: at least one byte in base64. */
export function isUsableSecret(secret: string): boolean {
  if (!secret.startsWith(standardPrefix)) return true;
  const encoded = secret.slice(standardPrefix.length);
  return encoded !== '' && base64Pattern.test(encoded);
}
