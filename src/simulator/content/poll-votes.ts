/**
 * Pure. Encrypted poll votes: AES-256-GCM under a key that comes by HMAC from the poll's message secret, the poll's id,
 * its author and the voter; a vote names the options by their SHA-256.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';

export interface VoteScope {
  readonly pollId: string;
  /** JIDs without device. */
  readonly creator: string;
  readonly voter: string;
  /** The `messageSecret` of the poll. */
  readonly secret: Uint8Array;
}

export interface EncryptedVote {
  /** Ciphertext and GCM tag. */
  readonly encPayload: Uint8Array;
  readonly encIv: Uint8Array;
}

const tagBytes = 16;

export function optionHash(option: string): Buffer {
  return createHash('sha256').update(option).digest();
}

/** Encrypts a PollVoteMessage. */
export function encryptVote(vote: Uint8Array, scope: VoteScope): EncryptedVote {
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', voteKey(scope), encIv).setAAD(associated(scope));
  return { encPayload: Buffer.concat([cipher.update(vote), cipher.final(), cipher.getAuthTag()]), encIv };
}

/** The PollVoteMessage; null when it was encrypted for something else. */
export function decryptVote({ encPayload, encIv }: EncryptedVote, scope: VoteScope): Buffer | null {
  if (encPayload.length < tagBytes || encIv.length === 0) return null;
  const decipher = createDecipheriv('aes-256-gcm', voteKey(scope), encIv)
    .setAAD(associated(scope))
    .setAuthTag(encPayload.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(encPayload.subarray(0, -tagBytes)), decipher.final()]);
  } catch {
    return null;
  }
}

function voteKey({ pollId, creator, voter, secret }: VoteScope): Buffer {
  const root = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
  return createHmac('sha256', root).update(pollId).update(creator).update(voter).update('Poll Vote\u0001').digest();
}

function associated({ pollId, voter }: VoteScope): Buffer {
  return Buffer.from(`${pollId}\0${voter}`);
}
