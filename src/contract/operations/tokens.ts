/** Tokens of the API: who may do what, on which sessions, from where, and until when. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { roles, scopes as allScopes } from '../roles.ts';
import { actionResult, sessionId, unixSeconds } from '../schemas.ts';

const network = 'an IP address or a network such as 10.0.0.0/8 or fd00::/8';

const role = z
  .enum(roles)
  .describe('`viewer` reads, `operator` also sends and manages its sessions, `admin` does everything.');
const scopes = z
  .array(z.enum(allScopes))
  .min(1)
  .max(allScopes.length)
  .nullable()
  .describe('Of what its role may do, only this, such as `["send"]`; null for all of it.');
const name = z.string().trim().min(1).max(100).describe('For people: who or what uses the token.');
const sessions = z
  .union([z.literal('*'), z.array(sessionId).min(1).max(500)])
  .describe('The sessions that it may be used for; `"*"` for all, also those to come. An `admin` needs `"*"`.');
const expiresAt = unixSeconds.nullable().describe('When it ceases to work, as unix time in seconds; null for never.');
const addresses = z
  .array(z.union([z.ipv4(network), z.ipv6(network), z.cidrv4(network), z.cidrv6(network)]))
  .max(50)
  .describe('Addresses and networks from which it may be used; empty for anywhere.');
const tokenId = z.string().regex(/^[0-9a-f]{16}$/, 'the id of a token: 16 hexadecimal digits');

export const tokenResource = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    scopes: z.array(z.enum(allScopes)).describe('What it may do: all that its role may, or less.'),
    sessions: z.union([z.literal('*'), z.array(z.string())]),
    addresses: z.array(z.string()),
    status: z.enum(['active', 'expired', 'revoked']),
    created_by: z.string().describe('`superadmin`, or the id of a token.'),
    created_at: unixSeconds,
    expires_at: unixSeconds.nullable(),
    last_used_at: unixSeconds.nullable().describe('To the minute.'),
    revoked_at: unixSeconds.nullable(),
  })
  .meta({ id: 'Token' });
export type TokenResource = z.output<typeof tokenResource>;

const newToken = tokenResource
  .extend({ token: z.string().describe('The token itself. It is shown this once.') })
  .meta({ id: 'NewToken' });

const exampleId = '5d0c1f7a9be24683';
const exampleToken: TokenResource = {
  id: exampleId,
  name: 'Shop backend',
  role: 'operator',
  scopes: ['read', 'send', 'manage'],
  sessions: ['support'],
  addresses: [],
  status: 'active',
  created_by: 'superadmin',
  created_at: 1_767_225_600,
  expires_at: 1_893_456_000,
  last_used_at: null,
  revoked_at: null,
};
const exampleValue = `wdn_${exampleId}_${'x'.repeat(43)}`;

const common = { runs: 'gateway', tag: 'Tokens', scope: 'admin', deadlineMs: 10_000, idempotent: false } as const;
const one = { path: '/tokens/:token_id', status: 200, errors: ['token_not_found'] } as const;

export const tokenOperations = {
  createToken: defineOperation({
    ...common,
    method: 'POST',
    path: '/tokens',
    summary: 'Create a token',
    description:
      'Its value is shown once, in this answer; only a digest of it is kept. Nobody can create a token that may do more than they may themselves.',
    params: z.strictObject({
      name,
      role,
      scopes: scopes.default(null),
      sessions,
      expires_at: expiresAt.default(null),
      addresses: addresses.default([]),
    }),
    result: newToken,
    status: 201,
    errors: [],
    example: {
      params: { name: 'Shop backend', role: 'operator', sessions: ['support'], expires_at: 1_893_456_000 },
      result: { ...exampleToken, token: exampleValue },
    },
  }),
  listTokens: defineOperation({
    ...common,
    method: 'GET',
    path: '/tokens',
    summary: 'List tokens, the newest first',
    params: z.strictObject({
      include_revoked: z.stringbool().default(false).describe('List those that were revoked, too.'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.string().max(200).optional(),
    }),
    result: z.object({ tokens: z.array(tokenResource), total: z.int(), next_cursor: z.string().nullable() }),
    status: 200,
    errors: [],
    example: { params: {}, result: { tokens: [exampleToken], total: 1, next_cursor: null } },
  }),
  getToken: defineOperation({
    ...common,
    ...one,
    method: 'GET',
    summary: 'Get a token',
    params: z.strictObject({ token_id: tokenId }),
    result: tokenResource,
    example: { params: { token_id: exampleId }, result: exampleToken },
  }),
  updateToken: defineOperation({
    ...common,
    ...one,
    method: 'PATCH',
    summary: 'Change what a token may do',
    description: 'What is left out stays as it is. The change holds for the next request with the token.',
    params: z.strictObject({
      token_id: tokenId,
      name: name.optional(),
      role: role.optional(),
      scopes: scopes.optional(),
      sessions: sessions.optional(),
      expires_at: expiresAt.optional(),
      addresses: addresses.optional(),
    }),
    result: tokenResource,
    errors: [...one.errors, 'unprocessable'],
    example: {
      params: { token_id: exampleId, role: 'viewer' },
      result: { ...exampleToken, role: 'viewer', scopes: ['read'] },
    },
  }),
  rotateToken: defineOperation({
    ...common,
    ...one,
    method: 'POST',
    path: '/tokens/:token_id/rotate',
    summary: 'Give a token a new value',
    description: 'The old value ceases to work at once. The new one is shown once, in this answer.',
    params: z.strictObject({ token_id: tokenId }),
    result: newToken,
    errors: [...one.errors, 'unprocessable'],
    example: { params: { token_id: exampleId }, result: { ...exampleToken, token: exampleValue } },
  }),
  revokeToken: defineOperation({
    ...common,
    ...one,
    method: 'DELETE',
    summary: 'Revoke a token',
    description: 'It ceases to work at once, for browsers that are signed in with it, too. It cannot be undone.',
    params: z.strictObject({ token_id: tokenId }),
    result: actionResult,
    example: { params: { token_id: exampleId }, result: { success: true, message: 'Token revoked.' } },
  }),
} as const;
