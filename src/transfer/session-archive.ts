/** How a session that is moved reads as text, inside of its encrypted file. */
import { z } from 'zod';
import { deviceInfo } from '../contract/device-info.ts';
import type { MovedSession } from '../contract/moved-session.ts';
import { pacingOverrides } from '../contract/pacing.ts';
import { SessionFileProblem } from './session-file.ts';

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));

const archive = z.object({
  version: z.literal(1),
  /** The session's id where it came from. */
  id: z.string(),
  session: z.object({
    name: z.string().nullable(),
    sandbox: z.boolean(),
    memoryCapMb: z.number().nullable(),
    isolated: z.boolean().nullable(),
    pacing: pacingOverrides.nullable(),
    device: deviceInfo.nullable(),
    linkedAt: z.number().nullable(),
    creds: base64,
    keys: z.array(z.object({ type: z.string(), id: z.string(), value: base64 })),
    openedChats: z.array(z.object({ chat: z.string(), at: z.number() })),
    sent: z.array(
      z.object({
        id: z.string(),
        chat: z.string(),
        sender: z.string(),
        type: z.string(),
        timestamp: z.number(),
        body: z.string().nullable(),
        proto: base64,
        key: base64,
      }),
    ),
  }),
});

export function writeArchive(id: string, moved: MovedSession): string {
  const text = (value: Uint8Array): string => Buffer.from(value).toString('base64');
  const keys = moved.keys.map((key) => ({ ...key, value: text(key.value) }));
  const sent = moved.sent.map((message) => ({ ...message, proto: text(message.proto), key: text(message.key) }));
  return JSON.stringify({ version: 1, id, session: { ...moved, creds: text(moved.creds), keys, sent } });
}

/** Throws a SessionFileProblem for what `writeArchive` did not write. */
export function readArchive(content: string): { readonly id: string; readonly session: MovedSession } {
  try {
    return archive.parse(JSON.parse(content));
  } catch (error) {
    throw Object.assign(new SessionFileProblem('file', 'its content is not that of a session'), { cause: error });
  }
}
