/** Pieces of schema that several operations and events share. */
import { z } from 'zod';
import {
  isLidJid,
  isPhoneJid,
  messageIdPattern,
  parseJid,
  parseMessageId,
  parsePhone,
  parseSessionId,
  sessionIdPattern,
} from './ids.ts';

/** Unix seconds, as every timestamp at the API's edge. */
export const unixSeconds = z.int().min(0).max(9_999_999_999).describe('Unix time in seconds.');

/** A recipient as people type it; parsed to a normalised JID. */
export const recipient = z
  .string()
  .min(5)
  .max(80)
  .transform((text, context) => {
    const jid = parseJid(text);
    if (jid !== null) return jid;
    context.addIssue({
      code: 'custom',
      message: 'a phone number in international form such as +15551234567, or a JID such as 15551234567@s.whatsapp.net',
    });
    return z.NEVER;
  })
  .describe('Phone number in international form (`+`, spaces and dashes allowed) or a JID.');

/** A recipient that is a person: no group and no newsletter. */
export const person = recipient
  .refine((jid) => isPhoneJid(jid) || isLidJid(jid), 'a phone number, or the JID or LID of a person')
  .describe('Phone number in international form (`+`, spaces and dashes allowed), or the JID or LID of a person.');

/** A phone number; parsed to its digits. */
export const phone = z
  .string()
  .min(5)
  .max(40)
  .transform((text, context) => {
    const digits = parsePhone(text);
    if (digits !== null) return digits;
    context.addIssue({ code: 'custom', message: 'a phone number in international form such as +15551234567' });
    return z.NEVER;
  })
  .describe('Phone number in international form; `+`, spaces and dashes are allowed.');

export const sessionId = z
  .string()
  .regex(sessionIdPattern, '1 to 64 letters, digits, dashes or underscores, beginning with a letter or digit')
  .transform((text, context) => {
    const id = parseSessionId(text);
    if (id !== null) return id;
    context.addIssue({ code: 'custom', message: 'a session id' });
    return z.NEVER;
  });

export const messageId = z
  .string()
  .regex(messageIdPattern, '4 to 128 letters, digits, dots, dashes, colons or underscores')
  .transform((text, context) => {
    const id = parseMessageId(text);
    if (id !== null) return id;
    context.addIssue({ code: 'custom', message: 'a message id' });
    return z.NEVER;
  })
  .describe("A message's WhatsApp id.");

export const httpUrl = z
  .string()
  .max(2048)
  .refine((text) => {
    const url = URL.parse(text);
    return (
      url !== null &&
      (url.protocol === 'http:' || url.protocol === 'https:') &&
      url.username === '' &&
      url.password === ''
    );
  }, 'an http or https URL without user name and password');

/** The answer of an action that produces nothing but its effect. */
export const actionResult = z.object({ success: z.literal(true), message: z.string() });

/** A PNG of one pixel, for examples that can be run. */
export const examplePng =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
