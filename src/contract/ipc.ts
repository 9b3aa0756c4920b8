/**
 * Everything that crosses between the supervisor and a child, by direction. Types only.
 * Every message names its session, since one child may host several.
 */
import type { MessageId, SessionId } from './ids.ts';
import type { SessionEvent } from './events.ts';

/** Raised whenever a message below changes its meaning; a child of another version exits with 20. */
export const protocolVersion = 1;

/** Bytes are structured-clone serialized values; only the child knows what is in them. */
export type StoredValue = Uint8Array;

/** Signal key type → id → value; null deletes. The type `inbox` is ours: see InboxEntry. */
export type KeyMutations = Readonly<Record<string, Readonly<Record<string, StoredValue | null>>>>;

/**
 * Where WhatsApp is. Absent url and root key mean the real WhatsApp, as the library has it built in.
 * The engine does not know who stands behind an address.
 */
export interface LinkTarget {
  readonly url: string | null;
  /** The Noise root public key to trust, 32 bytes in hex. */
  readonly rootKeyHex: string | null;
  /** A certificate authority (PEM) to trust beside the system's, for the media hosts of that server. */
  readonly caPem: string | null;
}

export interface StartSession {
  readonly session: SessionId;
  /** The fence: writes with an older epoch are refused. */
  readonly epoch: number;
  readonly target: LinkTarget;
  /** The credentials as last saved; null begins a new pairing. */
  readonly creds: StoredValue | null;
  readonly limits: LinkLimits;
  /** WhatsApp Web version to announce, for example [2, 3000, 1043857760]; null takes the library's. */
  readonly version: readonly [number, number, number] | null;
  /** Messages that were decrypted but not recorded when the previous child died. */
  readonly inbox: readonly InboxEntry[];
  /** Name shown for presence until WhatsApp tells the account's own. */
  readonly fallbackName: string;
}

export interface LinkLimits {
  readonly queryTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  /** How long a link may take from connecting to open (or to the first QR code). */
  readonly openTimeoutMs: number;
  /** How long a send waits for WhatsApp's ack before it is answered as pending. */
  readonly sendTimeoutMs: number;
  /** How long the upload of one file may take. */
  readonly mediaUploadTimeoutMs: number;
  /** How long a message that could not be decrypted is waited for before it is told as such. */
  readonly undecryptablePatienceMs: number;
  /** Lifetime of each QR code; null keeps WhatsApp's own: 60 s for the first, 20 s for the others. */
  readonly qrTimeoutMs: number | null;
}

/**
 * A decrypted message on its way to the store. It is committed together with the ratchet step that decrypted it, and
 * before WhatsApp hears of it, so that a child that dies in between loses nothing.
 */
export interface InboxEntry {
  readonly id: string;
  readonly value: StoredValue;
}

export type LinkState =
  | 'idle'
  | 'connecting'
  | 'waiting_for_qr'
  | 'waiting_for_pair_code'
  | 'connected'
  | 'reconnecting'
  | 'logged_out'
  | 'replaced'
  | 'banned'
  | 'outdated'
  | 'rejected';

export interface PairingOffer {
  /** The whole string that goes into the picture, or the pair code as ABCD-EFGH. */
  readonly code: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
  /** The how-many-eth code of this attempt, from 1. */
  readonly attempt: number;
}

export interface DeviceInfo {
  readonly jid: string;
  readonly lid: string | null;
  readonly deviceId: number;
  readonly phoneNumber: string;
  readonly pushName: string | null;
  readonly platform: string | null;
  readonly appVersion: string;
}

/** What a child tells of a link whenever it changes; the latest one is the truth. */
export interface LinkSnapshot {
  readonly session: SessionId;
  readonly state: LinkState;
  /** The state in words, with what a person can do. */
  readonly reason: string;
  /** WhatsApp's or the library's number for the last close. */
  readonly code: number | null;
  /** Unix milliseconds of the next try, or of the end of a ban. */
  readonly until: number | null;
  readonly qr: PairingOffer | null;
  readonly pairCode: (PairingOffer & { readonly phone: string }) | null;
  readonly device: DeviceInfo | null;
  readonly isPaired: boolean;
}

/** How far a message has come; only ever grows, and failed is final. */
export type MessageStatus = 'accepted' | 'sent' | 'delivered' | 'read' | 'played' | 'failed';

/** A message as the store keeps it. */
export interface MessageRecord {
  readonly id: string;
  readonly chat: string;
  /** Author: a phone-number JID wherever it is known. */
  readonly sender: string;
  readonly fromMe: boolean;
  readonly type: string;
  /** Unix milliseconds. */
  readonly timestamp: number;
  readonly body: string | null;
  /** The encoded protobuf Message; null when there is none. */
  readonly proto: Uint8Array | null;
  /** The serialized WhatsApp key (with LID and alternatives), needed to quote, react or mark as read. */
  readonly key: StoredValue;
  readonly media: MediaLocation | null;
}

/**
 * What a child asks the store to keep, in one transaction with the webhook events that follow from it.
 * - message: a message that came in or was written on another device; a known one changes nothing and emits nothing.
 * - status: how far messages have come; rows that are further already stay, and only real changes emit an event.
 * - event: an event without a row of its own.
 */
export type RecordItem =
  | {
      readonly tag: 'message';
      readonly record: MessageRecord;
      readonly event: SessionEvent | null;
      /** The inbox entry that this settles. */
      readonly inboxId: string | null;
    }
  | {
      readonly tag: 'status';
      readonly ids: readonly string[];
      readonly status: Exclude<MessageStatus, 'accepted'>;
      /** Unix milliseconds. */
      readonly at: number;
      /** WhatsApp's own code of a failure. */
      readonly errorCode: string | null;
      readonly event: SessionEvent | null;
      readonly origin?: Origin;
    }
  | {
      /** The content of a message has changed, or it was deleted (proto and body null) for everyone or for this account. */
      readonly tag: 'change';
      readonly change: 'edited' | 'deleted';
      /** What only this account's devices are to know of is done to any message, whoever wrote it. */
      readonly scope: 'everyone' | 'account';
      /** The message that is changed, by its id and chat. */
      readonly targetId: string;
      readonly chat: string;
      /**
       * Whoever changed it, and the same person's LID where it is known: the store makes the change when this is the
       * author, or for deletions in groups anybody, since WhatsApp lets only admins delete what others wrote.
       */
      readonly by: string;
      readonly byLid: string | null;
      readonly at: number;
      readonly proto: Uint8Array | null;
      readonly body: string | null;
      readonly event: SessionEvent | null;
      readonly inboxId: string | null;
      /** Id of the message that carried the change: a known one changes nothing and emits nothing. */
      readonly changeId: string;
    }
  | {
      readonly tag: 'event';
      readonly event: SessionEvent;
      readonly at: number;
      readonly inboxId?: string | null;
      /** Within the session an event with this text is told once. */
      readonly onceId?: string;
      readonly origin?: Origin;
    }
  | { readonly tag: 'inbox_settled'; readonly inboxId: string };

/**
 * Media that the supervisor has fetched, checked and described. A file lies in the spool, where the child may read it;
 * what was uploaded before travels as the encoded protobuf Message that holds it.
 */
export interface PreparedMedia {
  readonly kind: 'image' | 'video' | 'audio' | 'document' | 'sticker';
  readonly source:
    | { readonly tag: 'file'; readonly path: string }
    | { readonly tag: 'uploaded'; readonly content: Uint8Array };
  readonly mimetype: string;
  readonly bytes: number;
  readonly fileName: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly seconds: number | null;
  /** 64 values from 0 to 100, for voice notes. */
  readonly waveform: Uint8Array | null;
  /** A small JPEG. */
  readonly thumbnail: Uint8Array | null;
  readonly isAnimated: boolean;
}

/** Where the file of a received message lies at WhatsApp, and the key that opens it. */
export interface MediaLocation {
  readonly kind: PreparedMedia['kind'];
  readonly url: string | null;
  readonly directPath: string | null;
  readonly mediaKey: Uint8Array;
  readonly fileSha256: Uint8Array;
  readonly fileEncSha256: Uint8Array;
  readonly fileLength: number | null;
  readonly mimetype: string | null;
  readonly fileName: string | null;
  readonly seconds: number | null;
}

/** Whose request something is done for, so that log lines and spans of all processes can be put together. */
export interface Origin {
  /** Null for what nobody asks for. */
  readonly requestId: string | null;
  /** The span above, as W3C Trace Context writes it; null while nothing is traced. */
  readonly traceparent: string | null;
}

/** A send as the child gets it: accepted, with its id chosen. */
export interface SendRequest {
  readonly session: SessionId;
  readonly name: string;
  readonly params: unknown;
  readonly messageId: MessageId;
  /** Unix milliseconds after which it must not be sent any more. */
  readonly expiresAt: number;
  readonly media: PreparedMedia | null;
  readonly origin: Origin;
}

export interface SendAnswer {
  /** The JID that the recipient was resolved to. */
  readonly to: string;
  readonly status: 'sent' | 'pending';
  /** Unix milliseconds of WhatsApp's ack, or of the write when it is still pending. */
  readonly at: number;
  /** Why a pending message has not gone out, and when it may (unix milliseconds). */
  readonly held?: { readonly until: number; readonly reason: string };
}

/** Requests from the supervisor to a child: body and answer of each. */
export interface ToChild {
  readonly start_session: { body: StartSession; answer: null };
  /** Ends a session's link. `logout` unlinks the device from the phone first, and fails when WhatsApp does not confirm. */
  readonly stop_session: { body: { session: SessionId; logout: boolean }; answer: null };
  readonly pair_code: {
    body: { session: SessionId; phone: string; customCode: string | null; showPushNotification: boolean };
    answer: PairingOffer;
  };
  readonly operation: {
    body: { session: SessionId; name: string; params: unknown; origin: Origin };
    answer: unknown;
  };
  /** Uploads media without sending it; answers the encoded protobuf Message that holds it. */
  readonly upload_media: {
    body: { session: SessionId; media: PreparedMedia };
    answer: { readonly content: Uint8Array; readonly location: MediaLocation };
  };
  /** Asks the phone to upload the file of a message again; answers where it lies now. */
  readonly renew_media: { body: { session: SessionId; messageId: string }; answer: { readonly directPath: string } };
  readonly send: { body: SendRequest; answer: SendAnswer };
  /** Asks WhatsApp something cheap over the session's link; fails with `whatsapp_timeout` when nothing comes back. */
  readonly probe: { body: { session: SessionId }; answer: null };
  /** Take nothing new, finish what is under way, flush, close every link without logging out, and exit 86. */
  readonly recycle: { body: { deadlineMs: number }; answer: null };
  /** Flush, close every link without logging out, and exit 0. */
  readonly shutdown: { body: { deadlineMs: number }; answer: null };
}

/** What the store tells a child of a message. */
export interface KnownMessage {
  /** The encoded protobuf Message as it is now; null when it was deleted or never kept. */
  readonly proto: Uint8Array | null;
  readonly key: StoredValue | null;
  readonly chat: string;
  /** Null for an accepted message that no child has begun to send. */
  readonly sender: string | null;
  readonly fromMe: boolean;
  readonly type: string | null;
  /** Unix milliseconds. */
  readonly timestamp: number;
  readonly isDeleted: boolean;
}

/** Requests from a child to the supervisor. */
export interface ToSupervisor {
  readonly keys_get: {
    body: { session: SessionId; type: string; ids: readonly string[] };
    answer: Readonly<Record<string, StoredValue>>;
  };
  /** Answered after COMMIT; one transaction for all mutations and the credentials. Fails with `fenced`. */
  readonly keys_set: {
    body: { session: SessionId; epoch: number; mutations: KeyMutations; creds: StoredValue | null };
    answer: null;
  };
  /** Answered after COMMIT of all items. Fails with `fenced`. */
  readonly record: { body: { session: SessionId; epoch: number; items: readonly RecordItem[] }; answer: null };
  /** The protobuf of a message by its id alone, for retries and quotes. */
  readonly message_get: {
    body: { session: SessionId; id: string };
    answer: KnownMessage | null;
  };
  /** Keeps what was really sent (resolved chat and protobuf) before it goes out, so that retries can be answered. */
  readonly message_sending: {
    body: { session: SessionId; epoch: number; record: MessageRecord };
    answer: null;
  };
  /** Deletes credentials and keys after WhatsApp has ended the pairing. */
  readonly credentials_clear: { body: { session: SessionId; epoch: number }; answer: null };
}

/** One-way messages from a child; losing one must be harmless. */
export interface ChildNotices {
  /** The first message of a child. */
  readonly hello: { readonly protocol: number; readonly pid: number };
  readonly link: LinkSnapshot;
  /** A line for the log; fields hold no message text, no key and no whole phone number. */
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly message: string;
    readonly fields: Readonly<Record<string, string | number | boolean | null>>;
  };
  /** Work that was done for a request that is traced; times in milliseconds, the first since 1970. */
  readonly span: {
    /** The traceparent of the request. */
    readonly parent: string;
    readonly name: string;
    readonly startedAt: number;
    readonly durationMs: number;
    /** No message text, no key and no phone number. */
    readonly attributes: Readonly<Record<string, string | number | boolean>>;
    /** The code of the error that ended it. */
    readonly error: string | null;
  };
  readonly heartbeat: {
    readonly seq: number;
    readonly loopDelayP99Ms: number;
    readonly heapUsedBytes: number;
    readonly externalBytes: number;
    readonly inFlight: number;
    /** Stanzas received and events emitted per session since its start: a session that only receives is deaf. */
    readonly sessions: Readonly<Record<string, { readonly stanzas: number; readonly events: number }>>;
  };
}

/** One-way messages to a child; there are none today. */
export type SupervisorNotices = Readonly<Record<never, never>>;

/** Exit codes of a child; signals and the rest are classified by the supervisor. */
export const exitCode = {
  ok: 0,
  protocolMismatch: 20,
  badConfig: 21,
  fenced: 30,
  orphaned: 31,
  uncaughtException: 70,
  unhandledRejection: 71,
  recycled: 86,
} as const;
