/** From the configuration to the limits of the API and of its listener. */
import type { HttpLimits } from './api/http-server.ts';
import type { LimitSettings } from './api/limits/limit-settings.ts';
import type { BucketPolicy } from './api/limits/token-bucket.ts';
import type { EventStreamsSettings } from './api/streams/event-streams.ts';
import type { Config } from './config.ts';

export function limitSettings(config: Config): LimitSettings {
  return {
    token: policyOf(config.tokenPerSecond, config.tokenBurst),
    session: policyOf(config.sessionPerSecond, config.sessionBurst),
    browser: policyOf(config.browserPerSecond, config.browserBurst),
    failedLogins: config.failedLogins,
    uploads: { most: config.uploadMax, mostPerToken: unlessZero(config.uploadMaxPerToken) },
  };
}

export function streamLimits(config: Config): Pick<EventStreamsSettings, 'most' | 'mostPerToken' | 'mostPerAddress'> {
  return {
    most: config.streamMax,
    mostPerToken: unlessZero(config.streamMaxPerToken),
    mostPerAddress: unlessZero(config.streamMaxPerAddress),
  };
}

export function httpLimits(config: Config): HttpLimits {
  return {
    requestTimeoutMs: config.requestTimeoutMs,
    headersTimeoutMs: config.headersTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
    maxConnections: config.maxConnections,
    maxConnectionsPerAddress: unlessZero(config.maxConnectionsPerAddress),
    trustProxy: config.trustProxy,
    maxHeaderBytes: config.maxHeaderBytes,
  };
}

const policyOf = (perSecond: number, burst: number): BucketPolicy | null =>
  perSecond === 0 ? null : { perSecond, burst };

const unlessZero = (most: number): number | null => (most === 0 ? null : most);
