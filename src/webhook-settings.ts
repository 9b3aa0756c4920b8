/** From the configuration to what the webhooks room is told. */
import type { Config } from './config.ts';
import { gatewayVersion } from './version.ts';
import type { WebhookSettings } from './webhooks/engine.ts';

/** A claimed delivery is ours this much longer than an attempt can take. */
const leaseMarginMs = 45_000;

export function webhookSettings(config: Config): WebhookSettings {
  return {
    timeoutMs: config.webhookTimeoutMs,
    allowCidrs: config.outboundAllowCidr,
    userAgent: `Warden/${gatewayVersion}`,
    scheduleMs: config.webhookRetryScheduleMs,
    concurrency: config.webhookConcurrency,
    leaseMs: config.webhookTimeoutMs + leaseMarginMs,
    breaker: {
      failures: config.webhookBreakerFailures,
      firstPauseMs: config.webhookBreakerPauseMs,
      longestPauseMs: config.webhookBreakerMaxPauseMs,
    },
    disableAfterDays: config.webhookDisableAfterDays,
  };
}
