import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { actionResult, httpUrl, phone, sessionId, unixSeconds } from '../schemas.ts';
import { createdWebhook, webhookEventList } from './webhooks.ts';

export const sessionStatus = z.enum([
  'disconnected',
  'connecting',
  'waiting_for_qr',
  'waiting_for_pair_code',
  'connected',
  'logged_out',
  'failed',
]);
export type SessionStatus = z.output<typeof sessionStatus>;

export const childState = z.enum(['stopped', 'starting', 'running', 'stopping', 'backoff', 'crash_loop', 'blocked']);

export const childResource = z.object({
  pid: z.int().nullable(),
  state: childState,
  memory_bytes: z.int().nullable().describe('Private memory of the child (RssAnon and swap).'),
  memory_cap_bytes: z.int(),
  memory_warning: z
    .string()
    .nullable()
    .describe('Set while the child grows again soon after it was replaced for that, with what grows.'),
  sessions: z.int().describe('Sessions that live in the child, this one included.'),
  restarts: z.int(),
  last_exit: z.object({ cause: z.string(), at: unixSeconds, detail: z.string() }).nullable(),
});

export const sessionResource = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    phone_number: z.string().nullable(),
    push_name: z.string().nullable(),
    status: sessionStatus,
    status_reason: z.string().describe('The status in words, with what to do about it.'),
    created_at: unixSeconds,
    updated_at: unixSeconds,
    last_connected_at: unixSeconds.nullable(),
    is_logged_in: z.boolean().describe('Whether the session is paired with a phone.'),
    sandbox: z.boolean(),
    isolated: z
      .boolean()
      .nullable()
      .describe('Whether it is to have a child of its own; null leaves that to SESSIONS_PER_CHILD and to what happens.'),
    child: childResource.nullable(),
  })
  .meta({ id: 'Session' });
export type SessionResource = z.output<typeof sessionResource>;

const exampleSession: SessionResource = {
  id: 'support',
  name: 'Support desk',
  phone_number: '15550001111',
  push_name: 'Support',
  status: 'connected',
  status_reason: 'Connected to WhatsApp.',
  created_at: 1_767_225_600,
  updated_at: 1_767_225_660,
  last_connected_at: 1_767_225_660,
  is_logged_in: true,
  sandbox: false,
  isolated: null,
  child: {
    pid: 4242,
    state: 'running',
    memory_bytes: 15_728_640,
    memory_cap_bytes: 201_326_592,
    memory_warning: null,
    sessions: 1,
    restarts: 0,
    last_exit: null,
  },
};

const memoryCapMb = z.int().min(64).max(4096).describe('Memory cap of the child, megabytes.');
const sessionName = z.string().trim().min(1).max(100);
const none = z.strictObject({});
const statusAnswer = actionResult.extend({ status: sessionStatus });

export const sessionOperations = {
  createSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions',
    tag: 'Sessions',
    scope: 'admin',
    summary: 'Create a session',
    description: 'With `auto_connect` (the default) the session starts at once and waits for a QR scan.',
    params: z.strictObject({
      id: sessionId.optional(),
      name: sessionName.optional(),
      webhook: z
        .strictObject({
          url: httpUrl,
          secret: z.string().min(8).max(256).optional(),
          events: webhookEventList.optional(),
        })
        .optional(),
      sandbox: z.boolean().default(false).describe('Talk to the built-in WhatsApp simulator instead of WhatsApp.'),
      auto_connect: z.boolean().default(true),
      memory_cap_mb: memoryCapMb.optional(),
    }),
    result: sessionResource.extend({
      session: sessionResource,
      webhook: createdWebhook.optional().describe('The webhook asked for, with its secret: shown this once.'),
    }),
    status: 201,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['session_exists', 'capacity_exhausted'],
    example: {
      params: { id: 'support', name: 'Support desk', sandbox: true },
      result: { ...exampleSession, session: exampleSession },
    },
  }),
  listSessions: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions',
    tag: 'Sessions',
    scope: 'read',
    summary: 'List sessions',
    params: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(200).optional(),
    }),
    result: z.object({ sessions: z.array(sessionResource), total: z.int(), next_cursor: z.string().nullable() }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: { sessions: [exampleSession], total: 1, next_cursor: null } },
  }),
  getSession: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id',
    tag: 'Sessions',
    scope: 'read',
    summary: 'Get a session',
    params: none,
    result: sessionResource,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: exampleSession },
  }),
  updateSession: defineOperation({
    runs: 'gateway',
    method: 'PATCH',
    path: '/sessions/:id',
    tag: 'Sessions',
    scope: 'manage',
    summary: 'Change a session',
    description:
      'A new memory cap is watched at once; the limits that the operating system and the engine set follow at the next start of the child. `isolated: true` moves the session to a child of its own, which interrupts its connection for a moment.',
    params: z.strictObject({
      name: sessionName.nullable().optional(),
      memory_cap_mb: memoryCapMb.nullable().optional(),
      isolated: z
        .boolean()
        .nullable()
        .optional()
        .describe('true: a child of its own; false: never; null: as density and trouble have it.'),
    }),
    result: sessionResource,
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: { params: { name: 'Sales desk' }, result: exampleSession },
  }),
  deleteSession: defineOperation({
    runs: 'gateway',
    method: 'DELETE',
    path: '/sessions/:id',
    tag: 'Sessions',
    scope: 'manage',
    summary: 'Delete a session',
    description: 'Stops it, unlinks it from the phone when it is connected, and deletes everything stored of it.',
    params: none,
    result: actionResult,
    status: 200,
    deadlineMs: 30_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: { success: true, message: 'Session deleted.' } },
  }),
  getSessionStatus: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/status',
    tag: 'Sessions',
    scope: 'read',
    summary: 'Get the status of a session',
    params: none,
    result: z.object({
      id: z.string(),
      status: sessionStatus,
      status_reason: z.string(),
      is_logged_in: z.boolean(),
      phone_number: z.string().nullable(),
      last_connected_at: unixSeconds.nullable(),
    }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: {
      params: {},
      result: {
        id: 'support',
        status: 'connected',
        status_reason: 'Connected to WhatsApp.',
        is_logged_in: true,
        phone_number: '15550001111',
        last_connected_at: 1_767_225_660,
      },
    },
  }),
  connectSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/connect',
    tag: 'Sessions',
    scope: 'manage',
    summary: 'Connect a session',
    description: 'An unpaired session starts pairing. Survives restarts of the gateway.',
    params: none,
    result: statusAnswer,
    status: 200,
    deadlineMs: 30_000,
    idempotent: false,
    errors: ['already_connected', 'capacity_exhausted'],
    example: { params: {}, result: { success: true, message: 'The session is connecting.', status: 'connecting' } },
  }),
  disconnectSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/disconnect',
    tag: 'Sessions',
    scope: 'manage',
    summary: 'Disconnect a session',
    description: 'Closes the link and stops the child; the session stays paired.',
    params: none,
    result: statusAnswer,
    status: 200,
    deadlineMs: 30_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: { success: true, message: 'The session is disconnected.', status: 'disconnected' } },
  }),
  restartSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/restart',
    tag: 'Sessions',
    scope: 'manage',
    summary: "Restart a session's child",
    description: 'Always legal, also on a session that hangs or waits for its next try.',
    params: none,
    result: statusAnswer,
    status: 200,
    deadlineMs: 30_000,
    idempotent: false,
    errors: [],
    example: { params: {}, result: { success: true, message: 'The session restarts.', status: 'connecting' } },
  }),
  logoutSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/logout',
    tag: 'Sessions',
    scope: 'manage',
    summary: 'Unlink a session from its phone',
    description: 'WhatsApp confirms it, then the credentials are deleted. Offline sessions are logged out locally.',
    params: none,
    result: statusAnswer,
    status: 200,
    deadlineMs: 30_000,
    idempotent: false,
    errors: ['not_paired'],
    example: { params: {}, result: { success: true, message: 'The session is logged out.', status: 'logged_out' } },
  }),
  getQr: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/qr',
    tag: 'Pairing',
    scope: 'manage',
    summary: 'Get the QR code to scan',
    description:
      '`Accept: image/png` or `image/svg+xml` answers the picture itself. `wait` holds the request until a code other than `after` is there, or the session is paired.',
    params: z.strictObject({
      wait: z.coerce.number().min(0).max(60).default(0).describe('Seconds to wait for the next code.'),
      after: z.string().max(2048).optional().describe('The code that the caller has already.'),
    }),
    result: z.object({
      qr: z.string().describe('The raw string to encode.'),
      qr_image: z.string().describe('The picture as a data URL.'),
      qr_code: z.string().describe('The same picture.'),
      qr_codes: z.array(z.string()),
      timeout_seconds: z.int(),
      expires_at: unixSeconds,
      status: sessionStatus,
    }),
    status: 200,
    deadlineMs: 70_000,
    idempotent: false,
    errors: ['not_pairing', 'already_paired'],
    example: {
      params: {},
      result: {
        qr: 'https://wa.me/settings/linked_devices#2@ref,noise,identity,secret,1',
        qr_image: 'data:image/png;base64,iVBORw0KGgo=',
        qr_code: 'data:image/png;base64,iVBORw0KGgo=',
        qr_codes: ['https://wa.me/settings/linked_devices#2@ref,noise,identity,secret,1'],
        timeout_seconds: 60,
        expires_at: 1_767_225_660,
        status: 'waiting_for_qr',
      },
    },
  }),
  pairByCode: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/pair',
    aliases: ['/sessions/:id/pair-code'],
    tag: 'Pairing',
    scope: 'manage',
    summary: 'Get a pair code for a phone number',
    description: 'Connects the session when needed and waits for the code, which is typed into WhatsApp on the phone.',
    params: z
      .strictObject({
        phone: phone.optional(),
        phone_number: phone.optional(),
        show_push_notification: z.boolean().default(true),
        custom_code: z
          .string()
          .regex(/^[1-9A-HJ-NP-TV-Z]{4}-?[1-9A-HJ-NP-TV-Z]{4}$/i, 'eight characters out of 1-9 and A-Z without I, O, U')
          .optional(),
      })
      .refine((params) => params.phone !== undefined || params.phone_number !== undefined, {
        path: ['phone'],
        message: 'a phone number in international form such as +15551234567',
      }),
    result: z.object({
      code: z.string(),
      phone: z.string(),
      timeout_seconds: z.int(),
      expires_at: unixSeconds,
      status: sessionStatus,
    }),
    status: 200,
    deadlineMs: 45_000,
    idempotent: false,
    errors: ['already_paired', 'whatsapp_timeout'],
    example: {
      params: { phone: '+1 555 000 1111' },
      result: {
        code: 'ABCD-EFGH',
        phone: '15550001111',
        timeout_seconds: 160,
        expires_at: 1_767_225_820,
        status: 'waiting_for_pair_code',
      },
    },
  }),
  getDevice: defineOperation({
    runs: 'gateway',
    method: 'GET',
    path: '/sessions/:id/device',
    tag: 'Sessions',
    scope: 'read',
    summary: 'Get the linked device',
    params: none,
    result: z.object({
      device_id: z.int(),
      phone_number: z.string(),
      jid: z.string(),
      lid: z.string().nullable(),
      push_name: z.string().nullable(),
      platform: z.string().nullable().describe("The phone's operating system as WhatsApp tells it."),
      is_business: z.boolean(),
      linked_at: unixSeconds.nullable(),
      app_version: z.string().describe('The WhatsApp Web version that this gateway announces.'),
    }),
    status: 200,
    deadlineMs: 10_000,
    idempotent: false,
    errors: ['not_paired'],
    example: {
      params: {},
      result: {
        device_id: 3,
        phone_number: '15550001111',
        jid: '15550001111@s.whatsapp.net',
        lid: '100000000000001@lid',
        push_name: 'Support',
        platform: 'android',
        is_business: false,
        linked_at: 1_767_225_660,
        app_version: '2.3000.1043857760',
      },
    },
  }),
} as const;
