/** The signatures of a webhook delivery, made here so that the secret stays in the browser: see docs/webhooks.md. */

export interface SignedParts {
  readonly secret: string;
  readonly id: string;
  readonly timestamp: string;
  /** The raw body. */
  readonly body: string;
}

export interface Signatures {
  /** Hex; the key is the secret as it is written. */
  readonly plain: string;
  /** `v1,` and base64; the key is what the base64 after `whsec_` stands for. */
  readonly standard: string;
}

const prefix = 'whsec_';
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const encoder = new TextEncoder();

/** Needs a secret that is not empty, and a page that came by https or from this machine. */
export async function signaturesOf({ secret, id, timestamp, body }: SignedParts): Promise<Signatures> {
  const [plain, standard] = await Promise.all([
    hmac(encoder.encode(secret), body),
    hmac(standardKey(secret), `${id}.${timestamp}.${body}`),
  ]);
  return {
    plain: Array.from(plain, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    standard: `v1,${btoa(String.fromCharCode(...standard))}`,
  };
}

/** Which of the headers a signature belongs to that somebody pasted, or null. Of several, one has to match. */
export function matchOf(given: string, { plain, standard }: Signatures): 'X-Signature' | 'webhook-signature' | null {
  const entries = given.split(/\s+/).filter((entry) => entry !== '');
  if (entries.some((entry) => entry.replace(/^sha256=/i, '').toLowerCase() === plain)) return 'X-Signature';
  return entries.some((entry) => entry === standard || `v1,${entry}` === standard) ? 'webhook-signature' : null;
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, encoder.encode(text)));
}

function standardKey(secret: string): Uint8Array<ArrayBuffer> {
  const encoded = secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
  if (encoded === '' || !base64Pattern.test(encoded)) return encoder.encode(secret);
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
}
