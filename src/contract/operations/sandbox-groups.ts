/** The sandbox's groups: founded for a session, and changed by simulated people. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { recipient, unixSeconds } from '../schemas.ts';
import { groupJid } from './groups.ts';

const basics = {
  runs: 'gateway',
  tag: 'Sandbox',
  deadlineMs: 30_000,
  idempotent: false,
} as const;

export const sandboxGroup = z
  .object({
    jid: z.string(),
    subject: z.string(),
    addressing: z.enum(['lid', 'pn']),
    description: z.string().nullable(),
    owner: z.string(),
    created_at: unixSeconds,
    participants: z.array(
      z.object({ jid: z.string(), lid: z.string(), role: z.enum(['member', 'admin', 'superadmin']) }),
    ),
    announce: z.boolean(),
    locked: z.boolean(),
    ephemeral_seconds: z.int(),
    all_may_add: z.boolean(),
    approval: z.boolean(),
    invite_code: z.string(),
    requests: z.array(z.object({ jid: z.string(), at: unixSeconds, method: z.string() })),
    picture_id: z.string().nullable(),
  })
  .meta({ id: 'SandboxGroup' });

export const exampleGroup: z.output<typeof sandboxGroup> = {
  jid: '120363000000000000@g.us',
  subject: 'Release party',
  addressing: 'lid',
  description: null,
  owner: '100000000000001@lid',
  created_at: 1_767_225_600,
  participants: [
    { jid: '15550001111@s.whatsapp.net', lid: '100000000000001@lid', role: 'superadmin' },
    { jid: '15551234567@s.whatsapp.net', lid: '100000000000002@lid', role: 'member' },
  ],
  announce: false,
  locked: false,
  ephemeral_seconds: 0,
  all_may_add: false,
  approval: false,
  invite_code: 'AbCdEf123456AbCdEf1234',
  requests: [],
  picture_id: null,
};

/** What each action needs beside `by`. */
export const sandboxGroupActions = {
  add: 'participants',
  remove: 'participants',
  promote: 'participants',
  demote: 'participants',
  approve: 'participants',
  reject: 'participants',
  leave: 'nothing',
  join: 'nothing',
  request_join: 'nothing',
  withdraw_request: 'nothing',
  revoke_invite: 'nothing',
  subject: 'text',
  description: 'text or null',
  picture: 'text or null',
  announce: 'boolean',
  locked: 'boolean',
  all_may_add: 'boolean',
  approval: 'boolean',
  ephemeral: 'seconds',
} as const;

type ActionName = keyof typeof sandboxGroupActions;
const isActionName = (name: string): name is ActionName => name in sandboxGroupActions;
const actionNames = Object.keys(sandboxGroupActions).filter(isActionName);

export const sandboxGroupOperations = {
  sandboxCreateGroup: defineOperation({
    ...basics,
    method: 'POST',
    path: '/sessions/:id/sandbox/groups',
    scope: 'manage',
    summary: 'Create a group with the session in it',
    description:
      "The session's account founds it, or is made an admin by the `creator`. Contacts are created as needed.",
    params: z.strictObject({
      subject: z.string().trim().min(1).max(100),
      participants: z.array(recipient).max(1023).default([]),
      addressing: z.enum(['lid', 'pn']).default('lid').describe('By which address the group knows its members.'),
      creator: recipient.optional().describe("The contact who founds it; the session's account when absent."),
    }),
    result: sandboxGroup,
    status: 201,
    errors: ['not_a_sandbox_session', 'not_paired', 'contact_not_found', 'unprocessable', 'sandbox_unavailable'],
    example: { params: { subject: 'Release party', participants: ['+15551234567'] }, result: exampleGroup },
  }),
  sandboxGetGroup: defineOperation({
    ...basics,
    method: 'GET',
    path: '/sessions/:id/sandbox/groups/:jid',
    scope: 'read',
    summary: 'See a group as WhatsApp has it',
    params: z.strictObject({ jid: groupJid }),
    result: sandboxGroup,
    status: 200,
    errors: ['not_a_sandbox_session', 'group_not_found', 'sandbox_unavailable'],
    example: { params: { jid: exampleGroup.jid }, result: exampleGroup },
  }),
  sandboxChangeGroup: defineOperation({
    ...basics,
    method: 'POST',
    path: '/sessions/:id/sandbox/groups/:jid/actions',
    scope: 'manage',
    summary: 'Let a contact change a group, join or leave it',
    description:
      '`participants` belongs to add, remove, promote, demote, approve and reject; `value` is a text for subject, description and picture (base64; null removes), true or false for announce, locked, all_may_add and approval, and seconds for ephemeral.',
    params: z.strictObject({
      jid: groupJid,
      by: recipient.describe('Who does it.'),
      action: z.enum(actionNames),
      participants: z.array(recipient).min(1).max(1023).optional(),
      value: z
        .union([z.string().max(1_000_000), z.boolean(), z.int().min(0)])
        .nullable()
        .optional(),
    }),
    result: z.object({
      success: z.literal(true),
      results: z.array(z.object({ jid: z.string(), error: z.int().nullable(), invite_code: z.string().nullable() })),
      group: sandboxGroup.nullable().describe('Null when nobody is left in it.'),
    }),
    status: 200,
    errors: ['not_a_sandbox_session', 'group_not_found', 'contact_not_found', 'unprocessable', 'sandbox_unavailable'],
    example: {
      params: { jid: exampleGroup.jid, by: '+15551234567', action: 'leave' },
      result: { success: true, results: [], group: exampleGroup },
    },
  }),
} as const;
