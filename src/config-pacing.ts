/** The part of the configuration table that is about how fast sessions write. */
import { decimal, durationMs, flag, integer } from './config-variables.ts';

const weekMs = 7 * 86_400_000;

export const pacingVariables = {
  pacingEnabled: flag({
    name: 'PACING_ENABLED',
    fallback: 'true',
    sentence: 'Whether sends are paced; without it accounts that write like machines are banned sooner.',
  }),
  pacingMessagesPerSecond: decimal({
    name: 'PACING_MESSAGES_PER_SECOND',
    fallback: '1',
    sentence: 'How fast one session sends after a burst.',
  }),
  pacingBurst: integer({
    name: 'PACING_BURST',
    fallback: '20',
    min: 1,
    max: 100_000,
    sentence: 'Messages that one session may send at once after a quiet time.',
  }),
  pacingNewChatsPerDay: integer({
    name: 'PACING_NEW_CHATS_PER_DAY',
    fallback: '100',
    min: 0,
    max: 1_000_000,
    sentence: 'People that one session may write to in 24 hours who have never written to it; 0 for any number.',
  }),
  pacingWarmUpDays: integer({
    name: 'PACING_WARM_UP_DAYS',
    fallback: '14',
    min: 0,
    max: 365,
    unit: 'days',
    sentence: 'Days after linking over which the number of new chats rises to the full one; 0 begins with it.',
  }),
  pacingWarmUpNewChats: integer({
    name: 'PACING_WARM_UP_NEW_CHATS',
    fallback: '20',
    min: 1,
    max: 1_000_000,
    sentence: 'New chats that a session may begin on its first day.',
  }),
  pacingNewChatBackoffMs: durationMs({
    name: 'PACING_NEW_CHAT_BACKOFF_MS',
    fallback: '3600000',
    max: weekMs,
    sentence: 'How long new chats wait after WhatsApp refused one (463); doubles when it happens again.',
  }),
  pacingNewChatBackoffMaxMs: durationMs({
    name: 'PACING_NEW_CHAT_BACKOFF_MAX_MS',
    fallback: '86400000',
    max: weekMs,
    sentence: 'The most that it becomes by doubling.',
  }),
  pacingSlowDownMs: durationMs({
    name: 'PACING_SLOW_DOWN_MS',
    fallback: '300000',
    max: weekMs,
    sentence: 'How long a session writes at half its pace after WhatsApp said it was too fast (429); doubles likewise.',
  }),
  pacingSlowDownMaxMs: durationMs({
    name: 'PACING_SLOW_DOWN_MAX_MS',
    fallback: '7200000',
    max: weekMs,
    sentence: 'The most that it becomes by doubling.',
  }),
} as const;
