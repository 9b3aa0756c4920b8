import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { actionResult, person, recipient } from '../schemas.ts';

const child = { runs: 'child', scope: 'read', status: 200, deadlineMs: 45_000, idempotent: false } as const;
const asked = ['session_not_connected', 'whatsapp_timeout', 'whatsapp_refused'] as const;
const people = z.array(person).min(1).max(100);

export const contactOperations = {
  checkContacts: defineOperation({
    ...child,
    method: 'POST',
    tag: 'Contacts',
    path: '/sessions/:id/contacts/check',
    summary: 'Check which numbers are on WhatsApp',
    params: z.strictObject({ phones: people }),
    result: z.object({
      results: z.array(
        z.object({
          phone: z.string(),
          jid: z.string().nullable(),
          lid: z.string().nullable(),
          is_registered: z.boolean(),
          exists: z.boolean(),
        }),
      ),
    }),
    errors: asked,
    example: {
      params: { phones: ['+15551234567'] },
      result: {
        results: [
          {
            phone: '15551234567',
            jid: '15551234567@s.whatsapp.net',
            lid: '100000000000002@lid',
            is_registered: true,
            exists: true,
          },
        ],
      },
    },
  }),
  getContactInfo: defineOperation({
    ...child,
    method: 'POST',
    tag: 'Contacts',
    path: '/sessions/:id/contacts/info',
    summary: 'Get what WhatsApp tells of contacts',
    params: z
      .strictObject({ phones: people.optional(), jid: person.optional() })
      .refine((params) => (params.phones === undefined) !== (params.jid === undefined), {
        path: ['phones'],
        message: 'either phones or jid',
      }),
    result: z.object({
      contacts: z.array(
        z.object({
          jid: z.string(),
          lid: z.string().nullable(),
          phone: z.string().nullable(),
          is_registered: z.boolean(),
          is_business: z.boolean(),
          name: z.string().nullable(),
          status: z.string().nullable().describe('The about text; null when hidden.'),
          picture_id: z.string().nullable(),
        }),
      ),
    }),
    errors: asked,
    example: {
      params: { phones: ['+15551234567'] },
      result: {
        contacts: [
          {
            jid: '15551234567@s.whatsapp.net',
            lid: '100000000000002@lid',
            phone: '15551234567',
            is_registered: true,
            is_business: false,
            name: 'First contact',
            status: 'Hey there!',
            picture_id: null,
          },
        ],
      },
    },
  }),
  getUsers: defineOperation({
    ...child,
    method: 'POST',
    tag: 'Contacts',
    path: '/sessions/:id/contacts/users',
    summary: 'Get the devices and profile of users',
    params: z
      .strictObject({ jids: people.optional(), phones: people.optional() })
      .refine((params) => (params.jids === undefined) !== (params.phones === undefined), {
        path: ['jids'],
        message: 'either jids or phones',
      }),
    result: z.object({
      users: z.array(
        z.object({
          jid: z.string(),
          lid: z.string().nullable(),
          devices: z.array(z.int()),
          status: z.string().nullable(),
          is_business: z.boolean(),
          picture_id: z.string().nullable(),
        }),
      ),
    }),
    errors: asked,
    example: {
      params: { jids: ['15551234567@s.whatsapp.net'] },
      result: {
        users: [
          {
            jid: '15551234567@s.whatsapp.net',
            lid: '100000000000002@lid',
            devices: [0],
            status: 'Hey there!',
            is_business: false,
            picture_id: null,
          },
        ],
      },
    },
  }),
  getPicture: defineOperation({
    ...child,
    method: 'GET',
    tag: 'Contacts',
    path: '/sessions/:id/contacts/:jid/picture',
    summary: 'Get the address of a profile picture',
    params: z.strictObject({ jid: recipient, type: z.enum(['preview', 'image']).default('preview') }),
    result: z.object({ url: z.string(), picture_id: z.string(), id: z.string() }),
    errors: [...asked, 'recipient_not_on_whatsapp', 'no_picture', 'picture_hidden'],
    example: {
      params: { jid: '15551234567@s.whatsapp.net' },
      result: { url: 'https://pps.whatsapp.net/v/picture.jpg', picture_id: '1767225600', id: '1767225600' },
    },
  }),
  getLid: defineOperation({
    ...child,
    method: 'GET',
    tag: 'Contacts',
    path: '/sessions/:id/contacts/:jid/lid',
    summary: 'Translate between phone number and LID',
    params: z.strictObject({ jid: person }),
    result: z.object({ jid: z.string().nullable(), lid: z.string().nullable(), phone: z.string().nullable() }),
    errors: [...asked, 'recipient_not_on_whatsapp'],
    example: {
      params: { jid: '15551234567@s.whatsapp.net' },
      result: { jid: '15551234567@s.whatsapp.net', lid: '100000000000002@lid', phone: '15551234567' },
    },
  }),
  listBlocked: defineOperation({
    ...child,
    method: 'GET',
    tag: 'Blocking',
    path: '/sessions/:id/blocking/list',
    summary: 'List blocked contacts',
    params: z.strictObject({}),
    result: z.object({ blocked: z.array(z.string()), count: z.int() }),
    errors: asked,
    example: { params: {}, result: { blocked: ['15551234567@s.whatsapp.net'], count: 1 } },
  }),
  blockContact: defineOperation({
    ...child,
    idempotent: 'repeatable',
    scope: 'manage',
    method: 'POST',
    tag: 'Blocking',
    path: '/sessions/:id/blocking/block',
    summary: 'Block a contact',
    params: z.strictObject({ jid: person }),
    result: actionResult,
    errors: [...asked, 'recipient_not_on_whatsapp', 'unprocessable'],
    example: { params: { jid: '+15551234567' }, result: { success: true, message: 'Contact blocked.' } },
  }),
  unblockContact: defineOperation({
    ...child,
    idempotent: 'repeatable',
    scope: 'manage',
    method: 'POST',
    tag: 'Blocking',
    path: '/sessions/:id/blocking/unblock',
    summary: 'Unblock a contact',
    params: z.strictObject({ jid: person }),
    result: actionResult,
    errors: [...asked, 'recipient_not_on_whatsapp'],
    example: { params: { jid: '+15551234567' }, result: { success: true, message: 'Contact unblocked.' } },
  }),
  checkBlocked: defineOperation({
    ...child,
    method: 'GET',
    tag: 'Blocking',
    path: '/sessions/:id/blocking/check/:jid',
    summary: 'Check whether a contact is blocked',
    params: z.strictObject({ jid: person }),
    result: z.object({ jid: z.string(), blocked: z.boolean(), is_blocked: z.boolean() }),
    errors: [...asked, 'recipient_not_on_whatsapp'],
    example: {
      params: { jid: '15551234567@s.whatsapp.net' },
      result: { jid: '15551234567@s.whatsapp.net', blocked: false, is_blocked: false },
    },
  }),
} as const;
