/** What simulated contacts do besides writing: come online, type, call. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { actionResult, person, recipient, unixSeconds } from '../schemas.ts';

const sandboxBasics = {
  runs: 'gateway',
  tag: 'Sandbox',
  scope: 'manage',
  deadlineMs: 30_000,
  idempotent: false,
  status: 200,
} as const;
const errors = [
  'not_a_sandbox_session',
  'not_paired',
  'contact_not_found',
  'unprocessable',
  'sandbox_unavailable',
] as const;

const told = actionResult.extend({
  sessions: z.int().describe('How many sessions were told: those that are online, and for presence have subscribed.'),
});
const call = z.object({
  call_id: z.string(),
  from: z.string(),
  video: z.boolean(),
  group: z.string().nullable(),
  status: z.string().describe('ringing, accepted, rejected, timed_out, ended or blocked.'),
  at: unixSeconds,
});
const exampleCall: z.output<typeof call> = {
  call_id: '0A1B2C3D4E5F60718293A4B5C6D7E8F9',
  from: '15551234567@s.whatsapp.net',
  video: false,
  group: null,
  status: 'ringing',
  at: 1_767_225_600,
};

export const sandboxPeopleOperations = {
  sandboxPresence: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/presence',
    summary: 'Let a contact come online or go away',
    params: z.strictObject({
      contact: person,
      status: z.enum(['available', 'unavailable']),
      last_seen: unixSeconds.nullable().optional().describe('Unix seconds; null hides it, now when absent.'),
    }),
    result: told,
    errors,
    example: {
      params: { contact: '+15551234567', status: 'available' },
      result: { success: true, message: 'Presence set.', sessions: 1 },
    },
  }),
  sandboxTyping: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/typing',
    summary: 'Let a contact type or record',
    params: z.strictObject({
      contact: person,
      group: recipient.optional().describe('The JID of a group that both are in.'),
      state: z.enum(['composing', 'recording', 'paused']),
    }),
    result: told,
    errors,
    example: {
      params: { contact: '+15551234567', state: 'composing' },
      result: { success: true, message: 'Typing shown.', sessions: 1 },
    },
  }),
  sandboxChatStates: defineOperation({
    ...sandboxBasics,
    scope: 'read',
    method: 'GET',
    path: '/sessions/:id/sandbox/chat-states',
    summary: 'See which presence and typing the session has shown',
    params: z.strictObject({}),
    result: z.object({
      chat_states: z.array(
        z.object({
          to: z.string().describe('Empty for the presence of the account itself.'),
          state: z.string().describe('available, unavailable, subscribe, composing, recording or paused.'),
          at: unixSeconds,
        }),
      ),
    }),
    errors,
    example: {
      params: {},
      result: { chat_states: [{ to: '15551234567@s.whatsapp.net', state: 'composing', at: 1_767_225_600 }] },
    },
  }),
  sandboxCall: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/calls',
    summary: 'Let a contact call the session',
    params: z.strictObject({
      from: person,
      video: z.boolean().default(false),
      group: recipient.optional().describe('The JID of the group that is called.'),
    }),
    result: call,
    status: 201,
    errors,
    example: { params: { from: '+15551234567' }, result: exampleCall },
  }),
  sandboxFollowCall: defineOperation({
    ...sandboxBasics,
    method: 'POST',
    path: '/sessions/:id/sandbox/calls/:call_id',
    summary: 'Let a call go on',
    description: 'accept: answered on the phone; timeout: nobody answered; terminate: the caller hung up.',
    params: z.strictObject({
      call_id: z.string().min(1).max(64),
      action: z.enum(['accept', 'timeout', 'terminate']),
    }),
    result: call,
    errors: [...errors, 'message_not_found'],
    example: {
      params: { call_id: exampleCall.call_id, action: 'terminate' },
      result: { ...exampleCall, status: 'ended' },
    },
  }),
} as const;
