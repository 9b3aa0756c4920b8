/** What an event must be like to be delivered to a webhook. */
import { z } from 'zod';
import { person, recipient } from '../schemas.ts';

const mostAddresses = 100;
const pattern = z.string().min(1).max(200);

const textCondition = z
  .strictObject({
    contains: pattern.optional(),
    starts_with: pattern.optional(),
    matches: pattern.optional().describe('The whole text, with `*` for anything: `order * please`.'),
    ignore_case: z.boolean().default(true),
  })
  .refine(
    (text) => text.contains !== undefined || text.starts_with !== undefined || text.matches !== undefined,
    'at least one of contains, starts_with and matches',
  );

const conditionNames = ['chats', 'senders', 'is_group', 'is_from_me', 'text'] as const;

/**
 * All that are given must be met. They are about chats: events without one (`connected`, `qr_code`) are not held back;
 * an event about a chat that lacks what is asked for, such as a text, is.
 */
export const webhookConditions = z
  .strictObject({
    chats: z.array(recipient).min(1).max(mostAddresses).optional().describe('The chat is one of these.'),
    senders: z.array(person).min(1).max(mostAddresses).optional().describe('Whoever did it is one of these.'),
    is_group: z.boolean().optional(),
    is_from_me: z.boolean().optional().describe('Whether the account itself did it.'),
    text: textCondition.optional().describe('Of the message, or the caption of its media.'),
  })
  .refine(
    (conditions) => conditionNames.some((name) => conditions[name] !== undefined),
    `at least one of ${conditionNames.join(', ')}`,
  )
  .describe(
    'All that are given must be met, before a delivery is created. Events without a chat (`connected`, `qr_code`) are not held back by them.',
  );

export type WebhookConditionsParams = z.output<typeof webhookConditions>;

/** As they are shown: what was not given is absent. */
export const webhookConditionsResource = z
  .object({
    chats: z.array(z.string()).optional(),
    senders: z.array(z.string()).optional(),
    is_group: z.boolean().optional(),
    is_from_me: z.boolean().optional(),
    text: z
      .object({
        contains: z.string().optional(),
        starts_with: z.string().optional(),
        matches: z.string().optional(),
        ignore_case: z.boolean(),
      })
      .optional(),
  })
  .meta({ id: 'WebhookConditions' });
