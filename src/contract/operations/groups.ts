import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { actionResult, recipient, unixSeconds } from '../schemas.ts';

/** A group's JID, with or without its server. */
export const groupJid = z
  .string()
  .max(80)
  .transform((text, context) => {
    const id = /^(\d{5,25}(?:-\d{5,20})?)(?:@g\.us)?$/.exec(text.trim())?.[1];
    if (id !== undefined) return `${id}@g.us`;
    context.addIssue({ code: 'custom', message: 'a group such as 120363000000000000@g.us' });
    return z.NEVER;
  });

const subject = z.string().trim().min(1).max(100);
const participants = z.array(recipient).min(1).max(1024);
const asked = [
  'session_not_connected',
  'whatsapp_timeout',
  'whatsapp_refused',
  'group_not_found',
  'not_a_group_admin',
] as const;
const child = {
  runs: 'child',
  tag: 'Groups',
  status: 200,
  deadlineMs: 60_000,
  idempotent: false,
  errors: asked,
} as const;
const read = { ...child, method: 'GET', scope: 'read' } as const;
const change = { ...child, method: 'POST', scope: 'manage', idempotent: 'repeatable' } as const;

const groupSummary = z
  .object({
    jid: z.string(),
    subject: z.string(),
    name: z.string(),
    participant_count: z.int(),
    is_announce: z.boolean().describe('Only admins may write.'),
    is_admin: z.boolean().describe('Whether this account is an admin.'),
    created_at: unixSeconds.nullable(),
  })
  .meta({ id: 'GroupSummary' });

const groupParticipant = z.object({
  jid: z.string(),
  lid: z.string().nullable(),
  phone_number: z.string().nullable(),
  role: z.enum(['member', 'admin', 'superadmin']),
});

const groupResource = groupSummary
  .extend({
    description: z.string().nullable(),
    topic: z.string().nullable(),
    owner: z.string().nullable(),
    participants: z.array(groupParticipant),
    addressing_mode: z.enum(['lid', 'pn']),
    settings: z.object({
      announce: z.boolean(),
      locked: z.boolean().describe('Only admins may change subject, description and picture.'),
      join_approval: z.boolean(),
      member_add: z.enum(['all', 'admins']),
      ephemeral_seconds: z.int(),
    }),
  })
  .meta({ id: 'Group' });

const exampleSummary = {
  jid: '120363000000000000@g.us',
  subject: 'Release party',
  name: 'Release party',
  participant_count: 2,
  is_announce: false,
  is_admin: true,
  created_at: 1_767_225_600,
};
const exampleGroup: z.output<typeof groupResource> = {
  ...exampleSummary,
  description: null,
  topic: null,
  owner: '15550001111@s.whatsapp.net',
  participants: [
    { jid: '15550001111@s.whatsapp.net', lid: '100000000000001@lid', phone_number: '15550001111', role: 'superadmin' },
    { jid: '15551234567@s.whatsapp.net', lid: '100000000000002@lid', phone_number: '15551234567', role: 'member' },
  ],
  addressing_mode: 'lid',
  settings: { announce: false, locked: false, join_approval: false, member_add: 'all', ephemeral_seconds: 0 },
};
const exampleJid = '120363000000000000@g.us';

const participantResult = z.object({
  jid: z.string(),
  ok: z.boolean(),
  code: z
    .string()
    .describe("WhatsApp's code: 200, or why not (403 privacy, 404 unknown, 408 left lately, 409 already a member)."),
});
const participantResults = z.object({
  success: z.literal(true),
  message: z.string(),
  results: z.array(participantResult),
});

export const groupOperations = {
  listGroups: defineOperation({
    ...read,
    path: '/sessions/:id/groups',
    summary: 'List the groups of the account',
    description:
      'Answers all groups, unless `limit` is given or their participants are too many for one answer; then `next_cursor` asks for the rest.',
    params: z.strictObject({
      participants: z.stringbool().default(false).describe('Answer each group in full.'),
      limit: z.coerce.number().int().min(1).max(10_000).optional(),
      cursor: z.string().max(80).optional().describe('The `next_cursor` of the page before.'),
    }),
    result: z.object({
      groups: z.array(z.union([groupResource, groupSummary])),
      total: z.int().describe('Of all groups, not of this page.'),
      next_cursor: z.string().nullable(),
    }),
    example: { params: {}, result: { groups: [exampleSummary], total: 1, next_cursor: null } },
  }),
  getGroup: defineOperation({
    ...read,
    path: '/sessions/:id/groups/:jid',
    aliases: ['/sessions/:id/groups/:jid/info'],
    summary: 'Get a group',
    params: z.strictObject({ jid: groupJid }),
    result: groupResource,
    example: { params: { jid: exampleJid }, result: exampleGroup },
  }),
  createGroup: defineOperation({
    ...change,
    idempotent: true,
    path: '/sessions/:id/groups',
    summary: 'Create a group',
    description: 'Those who could not be added are in `not_added`, with the reason; they can be sent the invite link.',
    params: z.strictObject({ subject, participants }),
    result: groupResource.extend({ not_added: z.array(participantResult) }),
    status: 201,
    errors: [...asked, 'recipient_not_on_whatsapp'],
    example: {
      params: { subject: 'Release party', participants: ['+15551234567'] },
      result: { ...exampleGroup, not_added: [] },
    },
  }),
  leaveGroup: defineOperation({
    ...change,
    path: '/sessions/:id/groups/:jid/leave',
    summary: 'Leave a group',
    params: z.strictObject({ jid: groupJid }),
    result: actionResult,
    example: { params: { jid: exampleJid }, result: { success: true, message: 'Left the group.' } },
  }),
  setGroupSubject: defineOperation({
    ...change,
    path: '/sessions/:id/groups/:jid/subject',
    summary: "Change a group's subject",
    params: z.strictObject({ jid: groupJid, subject }),
    result: actionResult,
    example: {
      params: { jid: exampleJid, subject: 'After party' },
      result: { success: true, message: 'Subject changed.' },
    },
  }),
  setGroupDescription: defineOperation({
    ...change,
    path: '/sessions/:id/groups/:jid/description',
    summary: "Change a group's description",
    params: z.strictObject({ jid: groupJid, description: z.string().max(2048).describe('Empty removes it.') }),
    result: actionResult,
    example: {
      params: { jid: exampleJid, description: 'Bring cake' },
      result: { success: true, message: 'Description changed.' },
    },
  }),
  changeGroupParticipants: defineOperation({
    ...change,
    path: '/sessions/:id/groups/:jid/participants',
    summary: 'Add, remove, promote or demote participants',
    description: 'Answers for each participant what WhatsApp said; somebody who may not be added gets code 403.',
    params: z.strictObject({ jid: groupJid, action: z.enum(['add', 'remove', 'promote', 'demote']), participants }),
    result: participantResults,
    example: {
      params: { jid: exampleJid, action: 'add', participants: ['+15557654321'] },
      result: {
        success: true,
        message: 'Participants changed.',
        results: [{ jid: '15557654321@s.whatsapp.net', ok: true, code: '200' }],
      },
    },
  }),
  getGroupInvite: defineOperation({
    ...read,
    path: '/sessions/:id/groups/:jid/invite',
    aliases: ['/sessions/:id/groups/:jid/invite-link'],
    summary: 'Get the invite link of a group',
    params: z.strictObject({ jid: groupJid }),
    result: z.object({ code: z.string(), link: z.string() }),
    example: {
      params: { jid: exampleJid },
      result: { code: 'AbCdEf123456', link: 'https://chat.whatsapp.com/AbCdEf123456' },
    },
  }),
  revokeGroupInvite: defineOperation({
    ...change,
    path: '/sessions/:id/groups/:jid/invite/revoke',
    summary: 'Revoke the invite link of a group and make a new one',
    params: z.strictObject({ jid: groupJid }),
    result: z.object({ code: z.string(), link: z.string() }),
    example: {
      params: { jid: exampleJid },
      result: { code: 'GhIjKl789012', link: 'https://chat.whatsapp.com/GhIjKl789012' },
    },
  }),
  joinGroup: defineOperation({
    ...change,
    path: '/sessions/:id/groups/join',
    summary: 'Join a group by its invite code or link',
    params: z.strictObject({
      code: z
        .string()
        .max(200)
        .transform((text, context) => {
          const link = /^(?:(?:https?:\/\/)?chat\.whatsapp\.com\/(?:invite\/)?)?([\w-]{6,64})(?:\?.*)?$/;
          const code = link.exec(text.trim())?.[1];
          if (code !== undefined) return code;
          context.addIssue({ code: 'custom', message: 'an invite code or a https://chat.whatsapp.com/ link' });
          return z.NEVER;
        }),
    }),
    result: z.object({ jid: z.string(), joined: z.boolean().describe('False when an admin has to approve first.') }),
    example: { params: { code: 'AbCdEf123456' }, result: { jid: exampleJid, joined: true } },
  }),
  setGroupSettings: defineOperation({
    ...change,
    method: 'PATCH',
    path: '/sessions/:id/groups/:jid/settings',
    summary: "Change a group's settings",
    params: z.strictObject({
      jid: groupJid,
      announce: z.boolean().optional().describe('Only admins may write.'),
      locked: z.boolean().optional().describe('Only admins may change subject, description and picture.'),
      join_approval: z.boolean().optional(),
      member_add: z.enum(['all', 'admins']).optional(),
      ephemeral_seconds: z.int().min(0).max(7_776_000).optional().describe('0 switches disappearing messages off.'),
    }),
    result: actionResult,
    example: { params: { jid: exampleJid, announce: true }, result: { success: true, message: 'Settings changed.' } },
  }),
  setGroupPicture: defineOperation({
    ...change,
    holdsFile: true,
    path: '/sessions/:id/groups/:jid/picture',
    summary: "Change or remove a group's picture",
    params: z.strictObject({
      jid: groupJid,
      base64: z.string().min(4).max(8_000_000).nullable().describe('An image, or null to remove the picture.'),
    }),
    result: actionResult,
    errors: [...asked, 'media_type_not_supported'],
    example: { params: { jid: exampleJid, base64: null }, result: { success: true, message: 'Picture removed.' } },
  }),
  listJoinRequests: defineOperation({
    ...read,
    path: '/sessions/:id/groups/:jid/requests',
    summary: 'List who asks to join a group',
    params: z.strictObject({ jid: groupJid }),
    result: z.object({
      requests: z.array(
        z.object({ jid: z.string(), lid: z.string().nullable(), requested_at: unixSeconds.nullable() }),
      ),
      total: z.int(),
    }),
    example: {
      params: { jid: exampleJid },
      result: { requests: [{ jid: '15557654321@s.whatsapp.net', lid: null, requested_at: 1_767_225_600 }], total: 1 },
    },
  }),
  answerJoinRequests: defineOperation({
    ...change,
    path: '/sessions/:id/groups/:jid/requests',
    summary: 'Approve or reject requests to join',
    params: z.strictObject({ jid: groupJid, action: z.enum(['approve', 'reject']), participants }),
    result: participantResults,
    example: {
      params: { jid: exampleJid, action: 'approve', participants: ['+15557654321'] },
      result: {
        success: true,
        message: 'Requests answered.',
        results: [{ jid: '15557654321@s.whatsapp.net', ok: true, code: '200' }],
      },
    },
  }),
} as const;
