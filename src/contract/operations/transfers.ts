/** How sessions move between gateways and out of other programs, and how the key that encrypts them is changed. */
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { sessionId } from '../schemas.ts';
import { sessionOperations, sessionResource } from './sessions.ts';

const passphrase = z
  .string()
  .min(12)
  .max(1024)
  .describe('At least 12 characters; nobody can read the file without it.');
const name = z.string().trim().min(1).max(100);
const imported = {
  status: 201,
  deadlineMs: 60_000,
  idempotent: false,
  errors: ['session_exists', 'capacity_exhausted', 'payload_too_large'],
} as const;
const exampleSession = sessionOperations.getSession.example.result;

export const transferOperations = {
  exportSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/:id/export',
    tag: 'Moving sessions',
    scope: 'admin',
    answersFile: true,
    summary: 'Write a session into an encrypted file',
    description:
      'Stops the session first, and keeps it stopped: `connect` and `restart` refuse it until they are told with `take_back` that it runs nowhere else. The file holds its credentials and keys, encrypted with the passphrase.',
    params: z.strictObject({ passphrase }),
    result: z.unknown().describe('The file.'),
    status: 200,
    deadlineMs: 60_000,
    idempotent: false,
    errors: ['not_paired'],
    example: { params: { passphrase: 'correct horse battery staple' }, result: null },
  }),
  importSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/import',
    tag: 'Moving sessions',
    scope: 'admin',
    holdsFile: true,
    summary: 'Create a session from such a file',
    description: '`npm run import-session -- --file <file>` sends one from the command line.',
    params: z.strictObject({
      file: z.base64().min(4).max(130_000_000).describe('The file, in base64.'),
      passphrase,
      id: sessionId.optional().describe('The id that it had when absent.'),
      name: name.optional(),
      auto_connect: z.boolean().default(true),
    }),
    result: sessionResource,
    ...imported,
    example: {
      params: { file: 'V0FSREVOU0VTU0lPTg==', passphrase: 'correct horse battery staple' },
      result: exampleSession,
    },
  }),
  importBaileysSession: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/sessions/import-baileys',
    tag: 'Moving sessions',
    scope: 'admin',
    holdsFile: true,
    summary: "Create a session from a folder of Baileys' useMultiFileAuthState",
    description:
      "`npm run import-session -- --folder <folder> --id <id>` sends one from the command line. The program that used the folder has to be ended first: both would spoil each other's keys.",
    params: z.strictObject({
      files: z
        .record(z.string().min(1).max(255), z.string().max(10_000_000))
        .describe('The text of each file under its name, creds.json among them.'),
      id: sessionId,
      name: name.optional(),
      auto_connect: z.boolean().default(false),
    }),
    result: sessionResource,
    ...imported,
    example: {
      params: { id: 'support', files: { 'creds.json': '{"noiseKey":{}}', 'pre-key-1.json': '{}' } },
      result: exampleSession,
    },
  }),
  rotateEncryptionKey: defineOperation({
    runs: 'gateway',
    method: 'POST',
    path: '/encryption/rotate',
    tag: 'Gateway',
    scope: 'admin',
    summary: 'Wrap the keys of all sessions with the first of ENCRYPTION_KEY',
    description:
      'While everything runs. When it is done, the other keys are of use for old backups only. `npm run rotate-key` asks for it.',
    params: z.strictObject({}),
    result: z.object({
      key_id: z.string().describe('The key that all are wrapped with.'),
      rewrapped: z.int().describe('Keys that were wrapped anew just now.'),
      total: z.int(),
    }),
    status: 200,
    deadlineMs: 300_000,
    idempotent: false,
    errors: ['unprocessable'],
    example: { params: {}, result: { key_id: 'new', rewrapped: 12, total: 12 } },
  }),
} as const;
