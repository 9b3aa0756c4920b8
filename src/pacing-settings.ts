/** From the configuration to what paces sessions. */
import type { Config } from './config.ts';
import type { PacingSettings } from './supervisor/pacing-policy.ts';

export function pacingSettings(config: Config): PacingSettings {
  return {
    limits: {
      isEnabled: config.pacingEnabled,
      messagesPerSecond: config.pacingMessagesPerSecond,
      burst: config.pacingBurst,
      newChatsPerDay: config.pacingNewChatsPerDay,
      warmUpDays: config.pacingWarmUpDays,
      warmUpNewChats: config.pacingWarmUpNewChats,
    },
    newChats: { baseMs: config.pacingNewChatBackoffMs, maxMs: config.pacingNewChatBackoffMaxMs },
    slowDown: { baseMs: config.pacingSlowDownMs, maxMs: config.pacingSlowDownMaxMs },
  };
}
