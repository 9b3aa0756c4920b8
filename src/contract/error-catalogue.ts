/**
 * The error catalogue: every failure that crosses a process or reaches a user has an entry here.
 * `sentence` is what a user reads when the thrower has nothing more precise to say; it tells what to do next.
 */
export interface ErrorEntry {
  /** HTTP status of the answer. */
  readonly status: number;
  readonly sentence: string;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
}

export const errorCatalogue = {
  invalid_request: {
    status: 400,
    sentence: 'The request is malformed; see details for the field and what was expected.',
    retryable: false,
  },
  invalid_json: {
    status: 400,
    sentence: 'The body is not valid JSON; send a JSON object.',
    retryable: false,
  },
  unauthorized: {
    status: 401,
    sentence: 'A valid token is needed: send it as "Authorization: Bearer <token>" or "X-API-Key: <token>".',
    retryable: false,
  },
  forbidden: {
    status: 403,
    sentence: 'This token may not do that; use one whose role and sessions allow it.',
    retryable: false,
  },
  route_not_found: {
    status: 404,
    sentence: 'There is no such route; see /api-docs/openapi.json for all routes.',
    retryable: false,
  },
  session_not_found: {
    status: 404,
    sentence: 'There is no session with this id; GET /api/v1/sessions lists them.',
    retryable: false,
  },
  token_not_found: {
    status: 404,
    sentence: 'There is no token with this id; GET /api/v1/tokens lists them.',
    retryable: false,
  },
  webhook_not_found: {
    status: 404,
    sentence: 'This session has no webhook with this id; GET …/webhooks lists them.',
    retryable: false,
  },
  bulk_not_found: {
    status: 404,
    sentence: 'This session has no bulk with this id; GET …/bulk lists them.',
    retryable: false,
  },
  delivery_not_found: {
    status: 404,
    sentence: 'This webhook has no delivery with this id; GET …/deliveries lists them, and old ones are pruned.',
    retryable: false,
  },
  message_not_found: {
    status: 404,
    sentence: 'This session has no message with this id; it may have been sent from another session or pruned.',
    retryable: false,
  },
  contact_not_found: {
    status: 404,
    sentence: 'The sandbox knows no contact with this number; create it with POST …/sandbox/contacts.',
    retryable: false,
  },
  recipient_not_on_whatsapp: {
    status: 404,
    sentence: 'This number is not registered on WhatsApp; check the international form of the number.',
    retryable: false,
  },
  media_not_found: {
    status: 404,
    sentence: 'There is no such media: the message has none, or the media_id is unknown or expired.',
    retryable: false,
  },
  group_not_found: {
    status: 404,
    sentence: 'There is no such group, or this account is not a member of it.',
    retryable: false,
  },
  no_picture: {
    status: 404,
    sentence: 'This contact or group has no picture.',
    retryable: false,
  },
  picture_hidden: {
    status: 403,
    sentence: 'The picture is hidden from this account by its owner.',
    retryable: false,
  },
  not_a_group_admin: {
    status: 403,
    sentence: 'WhatsApp lets only admins of the group do that.',
    retryable: false,
  },
  message_not_own: {
    status: 403,
    sentence: 'Only messages that this account wrote can be changed in this way.',
    retryable: false,
  },
  message_too_old: {
    status: 422,
    sentence: 'WhatsApp no longer accepts this change: the message is too old.',
    retryable: false,
  },
  media_unreachable: {
    status: 422,
    sentence: 'The media could not be fetched from its url; see details.',
    retryable: true,
  },
  media_type_not_supported: {
    status: 422,
    sentence: 'The content is not of a type that can be sent in this way; see details.',
    retryable: false,
  },
  media_too_large: {
    status: 413,
    sentence: 'The media is larger than WhatsApp or this gateway accepts.',
    retryable: false,
  },
  converter_missing: {
    status: 422,
    sentence: 'This conversion needs ffmpeg, which is not installed on the gateway; send Ogg/Opus or install it.',
    retryable: false,
  },
  storage_full: {
    status: 507,
    sentence: 'There is no room for media on this gateway right now; repeat later.',
    retryable: true,
  },
  capacity_exhausted: {
    status: 507,
    sentence: 'This gateway has no room for another session; see GET /api/v1/stats for what its memory is used for.',
    retryable: false,
  },
  media_upload_failed: {
    status: 502,
    sentence: "WhatsApp's media servers did not take the file; repeat the request.",
    retryable: true,
  },
  media_unavailable: {
    status: 502,
    sentence: "WhatsApp's media servers do not give the file out right now; repeat the request.",
    retryable: true,
  },
  media_damaged: {
    status: 502,
    sentence: 'The file at WhatsApp is not the one that the message announced; its sender has to send it again.',
    retryable: true,
  },
  media_gone: {
    status: 410,
    sentence: 'WhatsApp no longer has the file, and the phone did not provide it again.',
    retryable: true,
  },
  app_state_unavailable: {
    status: 503,
    sentence: 'The phone has not sent the keys for this yet; it does so some time after pairing.',
    retryable: true,
  },
  method_not_allowed: {
    status: 405,
    sentence: 'This route exists, but not with this method; see the Allow header.',
    retryable: false,
  },
  session_exists: {
    status: 409,
    sentence: 'A session with this id exists already; choose another id or use the existing one.',
    retryable: false,
  },
  webhook_exists: {
    status: 409,
    sentence: 'This session already has a webhook with this url; delete it first or change it.',
    retryable: false,
  },
  session_exported: {
    status: 409,
    sentence:
      'The session was exported to be moved to another gateway; if it runs nowhere else, connect it with "take_back": true.',
    retryable: false,
  },
  already_connected: {
    status: 409,
    sentence: 'The session is connected already; nothing needs to be done.',
    retryable: false,
  },
  already_paired: {
    status: 409,
    sentence: 'The session is paired already; log it out first to pair it anew.',
    retryable: false,
  },
  not_paired: {
    status: 409,
    sentence: 'The session is not paired yet; call …/connect and scan the QR code, or …/pair with a phone number.',
    retryable: false,
  },
  not_pairing: {
    status: 409,
    sentence: 'The session is not waiting for a QR scan; call …/connect first.',
    retryable: false,
  },
  session_blocked: {
    status: 409,
    sentence: 'The session cannot run until its cause is dealt with; see status_reason.',
    retryable: false,
  },
  not_a_sandbox_session: {
    status: 409,
    sentence: 'Sandbox routes work on sessions created with "sandbox": true only.',
    retryable: false,
  },
  bulk_is_over: {
    status: 409,
    sentence: 'The bulk is finished or cancelled, or is in that state already; see its status.',
    retryable: false,
  },
  message_id_taken: {
    status: 409,
    sentence: 'This session has already sent another message with this message_id; choose a new one.',
    retryable: false,
  },
  message_not_scheduled: {
    status: 409,
    sentence:
      'The time of this message has come: it is being sent or has been, and can be neither moved nor cancelled.',
    retryable: false,
  },
  request_in_progress: {
    status: 409,
    sentence: 'The first request with this Idempotency-Key is still being carried out; repeat after Retry-After.',
    retryable: true,
  },
  outcome_unknown: {
    status: 409,
    sentence:
      'Whether the first request with this Idempotency-Key was carried out is unknown; look at what is there, and repeat it with a new key if it was not.',
    retryable: false,
  },
  message_expired: {
    status: 410,
    sentence:
      'The message could not be sent in time and will not be sent any more; send it again with a new Idempotency-Key.',
    retryable: false,
  },
  payload_too_large: {
    status: 413,
    sentence: 'The body is larger than this route accepts.',
    retryable: false,
  },
  unsupported_media_type: {
    status: 415,
    sentence: 'This route takes application/json.',
    retryable: false,
  },
  misdirected_request: {
    status: 421,
    sentence: 'This host name is not served here; set PUBLIC_URL to the address that clients use.',
    retryable: false,
  },
  unprocessable: {
    status: 422,
    sentence: 'The request is well-formed but cannot be carried out.',
    retryable: false,
  },
  idempotency_key_reused: {
    status: 422,
    sentence: 'This Idempotency-Key came with another request before; every request needs a key of its own.',
    retryable: false,
  },
  wrong_pair_code: {
    status: 422,
    sentence: 'No device of this session waits for this pair code; ask for a new one with …/pair.',
    retryable: false,
  },
  rate_limited: {
    status: 429,
    sentence: 'Too many requests; wait as long as Retry-After says.',
    retryable: true,
  },
  too_many_attempts: {
    status: 429,
    sentence: 'Too many requests with a wrong token came from this address; wait as long as Retry-After says.',
    retryable: true,
  },
  pacing_limit: {
    status: 429,
    sentence:
      'The session would send faster than is safe for its number; see GET …/pacing, wait as long as Retry-After says.',
    retryable: true,
  },
  internal_error: {
    status: 500,
    sentence: 'Something went wrong inside the gateway; the log has the details under this request id.',
    retryable: false,
  },
  whatsapp_refused: {
    status: 502,
    sentence: "WhatsApp refused the request; details hold WhatsApp's own code.",
    retryable: false,
  },
  sandbox_unavailable: {
    status: 502,
    sentence: 'The sandbox did not carry out the request; see details.',
    retryable: true,
  },
  session_not_connected: {
    status: 503,
    sentence: 'The session is not connected to WhatsApp; see its status_reason, or call …/connect.',
    retryable: true,
  },
  session_restarted: {
    status: 503,
    sentence: "The session's process ended while the request ran; it is being restarted, repeat the request.",
    retryable: true,
  },
  session_busy: {
    status: 503,
    sentence: 'The session has too many requests in flight; repeat after Retry-After.',
    retryable: true,
  },
  storage_unavailable: {
    status: 503,
    sentence: 'The database does not answer; nothing was sent, repeat after Retry-After.',
    retryable: true,
  },
  shutting_down: {
    status: 503,
    sentence: 'The gateway is shutting down; repeat the request in a moment.',
    retryable: true,
  },
  fenced: {
    status: 503,
    sentence: 'This process no longer owns the session.',
    retryable: true,
  },
  whatsapp_timeout: {
    status: 504,
    sentence: 'WhatsApp did not answer in time; repeat the request.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;
