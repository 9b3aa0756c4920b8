/** How people get into the dashboard without typing a token. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { unixSeconds } from '../schemas.ts';

export const loginLinkOperations = {
  createLoginLink: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/login-links',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Get a link that signs a browser in to the dashboard',
    description: 'It works once, and for 15 minutes. `npm run login-link` prints one.',
    params: z.strictObject({}),
    result: z.object({ url: z.string(), expires_at: unixSeconds }),
    status: 201,
    deadlineMs: 10_000,
    idempotent: false,
    errors: [],
    example: {
      params: {},
      result: { url: 'http://127.0.0.1:3451/dashboard/login?t=bm90LWEtcmVhbC1saW5r', expires_at: 1_767_226_500 },
    },
  }),
} as const;
