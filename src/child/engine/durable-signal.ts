/**
 * Signal encryption whose every ratchet step is committed before its effect can be seen outside.
 *
 * The library runs a whole send, the write to the socket included, inside one transaction of its key store, and commits
 * it afterwards: a crash in between would use a message key twice. And it tells WhatsApp that a message has arrived
 * before anybody could have kept its text. Both are mended here, from outside, with the repository that the library
 * lets us supply: an encryption is a transaction of its own, outside the one of the send, and committed before the
 * ciphertext is handed back; a decryption puts the plaintext into the inbox within the transaction that advances the
 * ratchet, so that either both are durable when the receipt goes out, or WhatsApp delivers the message again. What it
 * delivers again although the ratchet has passed it is answered from the inbox.
 *
 * Transactions of one peer exclude each other, whichever direction they have: the library guards sends by the account
 * and receipts by the peer, so that one could overwrite the other's step.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  DEFAULT_CONNECTION_CONFIG,
  jidDecode,
  type SignalKeyStoreWithTransaction,
  type SocketConfig,
} from '@whiskeysockets/baileys';
import { inTurn } from './address-turns.ts';
import type { InboxWriter } from './inbox.ts';
import { gateOpened } from './wire-gate.ts';

type MakeRepository = SocketConfig['makeSignalRepository'];
type Repository = ReturnType<MakeRepository>;

/** A repository for the socket's configuration; `inbox` learns of every plaintext. */
export function durableSignalRepository(inbox: InboxWriter): MakeRepository {
  return (auth, logger, pnToLid) => {
    const base = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, pnToLid);
    const keys = withTransactions(auth.keys);
    // Taken here, where no transaction is open: whatever runs in it is outside the transaction of its caller.
    const outside = AsyncLocalStorage.snapshot();
    const alone = <Result>(key: string, work: () => Promise<Result>): Promise<Result> =>
      outside(() => keys.transaction(work, `signal:${key}`));
    const byPeer = async <Result>(jid: string, work: () => Promise<Result>): Promise<Result> =>
      alone(await peerKey(base, jid), () => inTurn(base.jidToSignalProtocolAddress(jid), work));

    /** The ratchet step is committed meanwhile; an error here makes the library leave out the device, and all alike. */
    const kept = async <Result>(encrypting: Promise<Result>): Promise<Result> => {
      const encrypted = await encrypting;
      await gateOpened();
      return encrypted;
    };

    /** An error that leaves here makes the library tell WhatsApp that the message cannot be read. */
    const readably = async (ciphertext: Uint8Array, decrypt: () => Promise<Uint8Array>): Promise<Uint8Array> => {
      try {
        return await decrypt();
      } catch (error) {
        const known = inbox.known(ciphertext);
        if (known !== null) return known;
        await outside(() => inbox.note(keys, ciphertext));
        throw error;
      }
    };

    return {
      ...base,
      encryptMessage: (input) => kept(byPeer(input.jid, () => base.encryptMessage(input))),
      encryptGroupMessage: (input) => kept(alone(input.group, () => base.encryptGroupMessage(input))),
      getSenderKeyDistributionMessage: (input) => alone(input.group, () => base.getSenderKeyDistributionMessage(input)),
      injectE2ESession: (input) => byPeer(input.jid, () => base.injectE2ESession(input)),
      deleteSession: (jids) => outside(() => base.deleteSession(jids)),
      validateSession: (jid) => outside(() => base.validateSession(jid)),
      getSessionInfo: (jid) => outside(() => base.getSessionInfo(jid)),
      migrateSession: (from, to) => outside(() => base.migrateSession(from, to)),
      decryptMessage: (input) =>
        readably(input.ciphertext, () =>
          byPeer(input.jid, async () => {
            const plaintext = await base.decryptMessage(input);
            await inbox.keep(keys, input.ciphertext, plaintext);
            return plaintext;
          }),
        ),
      decryptGroupMessage: (input) =>
        readably(input.msg, () =>
          alone(input.group, async () => {
            const plaintext = await base.decryptGroupMessage(input);
            await inbox.keep(keys, input.msg, plaintext);
            return plaintext;
          }),
        ),
    };
  };
}

/** One key per peer device, whether it is addressed by phone number or by LID. */
async function peerKey(repository: Repository, jid: string): Promise<string> {
  const decoded = jidDecode(jid);
  if (decoded === undefined) return jid;
  const device = decoded.device ?? 0;
  if (decoded.server !== 's.whatsapp.net') return `${decoded.user}:${device}@${decoded.server}`;
  const lid = await repository.lidMapping.getLIDForPN(jid);
  const mapped = lid === null ? undefined : jidDecode(lid);
  return mapped === undefined
    ? `${decoded.user}:${device}@${decoded.server}`
    : `${mapped.user}:${device}@${mapped.server}`;
}

function withTransactions(keys: Parameters<MakeRepository>[0]['keys']): SignalKeyStoreWithTransaction {
  if (!('transaction' in keys)) throw new Error('the library no longer passes a key store with transactions');
  return keys;
}
