/**
 * What WhatsApp (or the library) said when a link ended, and what follows from it: one table.
 * Sources: the close codes of the library's DisconnectReason, and the failure reasons of the WhatsApp Web protocol as
 * the open multi-device clients know them.
 */
/** How a link ended, as far as it is known. */
export interface CloseCause {
  /** Status of the library's error; null when it ended without one. */
  readonly code: number | null;
  readonly message: string;
  /** `<failure>`: the login was refused. `<stream:error>`: the server ended an established stream. */
  readonly origin: 'failure' | 'stream_error' | 'transport' | 'local';
  /** Type of a `<conflict>`, for example `replaced` or `device_removed`. */
  readonly conflict: string | null;
  /** Seconds until a temporary ban ends. */
  readonly banSeconds: number | null;
}

/**
 * - restart: WhatsApp wants a new connection at once; no failure.
 * - back_off: try again, each time later. `steady` keeps the delays growing even after a successful reconnect.
 * - reset_pairing: an interrupted pairing left half of an identity; forget it and begin anew.
 * - pairing_expired: nobody scanned; wait for a person.
 * - logged_out: never again with these credentials; `forget` tells whether they are worthless.
 * - replaced: somebody else uses the same credentials.
 * - banned: WhatsApp says until when.
 * - outdated: this version of WhatsApp Web is no longer served.
 * - rejected: WhatsApp does not want this client; a person must look.
 */
export type CloseRule =
  | { readonly tag: 'restart' }
  | { readonly tag: 'back_off'; readonly minDelayMs: number; readonly steady: boolean }
  | { readonly tag: 'damaged' }
  | { readonly tag: 'reset_pairing' }
  | { readonly tag: 'pairing_expired' }
  | { readonly tag: 'logged_out'; readonly forget: boolean }
  | { readonly tag: 'replaced' }
  | { readonly tag: 'banned'; readonly seconds: number }
  | { readonly tag: 'outdated' }
  | { readonly tag: 'rejected' };

export interface CloseVerdict {
  readonly rule: CloseRule;
  /** For people: what happened and what to do about it. */
  readonly sentence: string;
}

const defaultBanSeconds = 3600;
const soon = { tag: 'back_off', minDelayMs: 0, steady: false } as const;
const maintenance = { tag: 'back_off', minDelayMs: 5_000, steady: false } as const;

/** What the library says about a certificate chain that does not lead from WhatsApp's root key to this server. */
const isForgedServer = /noise (leaf |intermediate )?certificate|certification match failed/;
/** What it says about a device identity that the account has not signed. */
const isForgedDevice = /account signature/i;

/** What to do about the end of a link. `isPaired` tells whether the account had confirmed this device. */
export function judgeClose(cause: CloseCause, isPaired: boolean): CloseVerdict {
  if (cause.conflict === 'device_removed') return loggedOut(isPaired);
  if (cause.message.includes('QR refs attempts ended')) {
    return {
      rule: { tag: 'pairing_expired' },
      sentence: 'Nobody scanned the QR code or typed the pair code in time; call connect to get new ones.',
    };
  }
  if (isForgedServer.test(cause.message)) {
    return {
      rule: { tag: 'back_off', minDelayMs: 30_000, steady: true },
      sentence:
        'The server could not prove that it is WhatsApp, so nothing was sent to it; look for a proxy that intercepts ' +
        'the connection. Trying again more slowly.',
    };
  }
  if (isForgedDevice.test(cause.message)) {
    return rejected(
      'The pairing was refused, because it was not signed by the phone that scanned the code; connect to get a new code.',
    );
  }
  switch (cause.code) {
    case 515:
      return { rule: { tag: 'restart' }, sentence: 'WhatsApp asked for a new connection.' };
    case 401:
      return loggedOut(isPaired);
    case 403:
      return keepsCredentials(
        'WhatsApp has locked this account or its phone is gone; check the phone, then connect again.',
      );
    case 406:
      return keepsCredentials('WhatsApp has banned this account; appeal in the WhatsApp app on the phone.');
    case 402:
      return {
        rule: { tag: 'banned', seconds: cause.banSeconds ?? defaultBanSeconds },
        sentence: 'WhatsApp has banned this account for a while; it reconnects by itself when the ban ends.',
      };
    case 405:
      return {
        rule: { tag: 'outdated' },
        sentence: 'WhatsApp no longer accepts this version of WhatsApp Web; set WHATSAPP_VERSION to the current one.',
      };
    case 440:
      return {
        rule: { tag: 'replaced' },
        sentence: 'The same credentials were used by another connection; make sure that no other program uses them.',
      };
    case 411:
      return rejected('WhatsApp no longer treats this as a linked device; log out and pair again.');
    case 409:
    case 413:
    case 414:
    case 415:
    case 418:
    case 419:
      return rejected(`WhatsApp does not accept this client (${cause.code}); see the log, then connect again.`);
    case 429:
      return {
        rule: { tag: 'back_off', minDelayMs: 30_000, steady: true },
        sentence: 'WhatsApp asks for fewer connections; reconnecting more slowly.',
      };
    case 501:
      return cause.origin === 'failure'
        ? rejected('WhatsApp does not accept this client (501); see the log, then connect again.')
        : { rule: maintenance, sentence: 'WhatsApp is under maintenance; reconnecting.' };
    case 503:
      return { rule: maintenance, sentence: 'WhatsApp is unavailable; reconnecting.' };
    case 500:
      return cause.origin === 'failure'
        ? { rule: maintenance, sentence: 'WhatsApp has trouble; reconnecting.' }
        : { rule: { tag: 'damaged' }, sentence: 'The connection broke in an unknown way; reconnecting.' };
    case 400:
      return { rule: { tag: 'damaged' }, sentence: 'WhatsApp refused the connection (400); trying again.' };
    case 408:
    case 428:
      return { rule: soon, sentence: 'The connection to WhatsApp was lost; reconnecting.' };
    case null:
      return { rule: soon, sentence: 'The connection to WhatsApp ended; reconnecting.' };
    default:
      return { rule: soon, sentence: `The connection to WhatsApp ended (${cause.code}); reconnecting.` };
  }
}

function loggedOut(isPaired: boolean): CloseVerdict {
  if (!isPaired) {
    return { rule: { tag: 'reset_pairing' }, sentence: 'The pairing was interrupted; starting a new one.' };
  }
  return {
    rule: { tag: 'logged_out', forget: true },
    sentence: 'The device was unlinked from the phone; connect and pair again.',
  };
}

function keepsCredentials(sentence: string): CloseVerdict {
  return { rule: { tag: 'logged_out', forget: false }, sentence };
}

function rejected(sentence: string): CloseVerdict {
  return { rule: { tag: 'rejected' }, sentence };
}
