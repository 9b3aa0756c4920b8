import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Media } from '../media/media.ts';
import type { Store } from '../store/store.ts';
import type { Observer } from '../telemetry/observer.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { BrowserLogin } from './auth/browser-login.ts';
import type { LoginLinks } from './auth/login-links.ts';
import type { Governors } from '../supervisor/governors.ts';
import type { WebhookTester } from '../webhooks/tester.ts';
import type { Authenticator } from './auth/principal.ts';
import type { StoredTokens } from './auth/stored-tokens.ts';
import type { TrustedProxies } from './auth/trusted-proxies.ts';
import type { LimitSettings } from './limits/limit-settings.ts';
import type { QrImages } from './qr-image.ts';
import type { Exposition } from './metrics-route.ts';
import type { SandboxPort } from './sandbox-port.ts';
import type { EventStreams } from './streams/event-streams.ts';
import type { SupervisorPort } from './supervisor-port.ts';

export interface DashboardSettings {
  /** `auto` lets a browser on this very machine in without a login, `none` lets everybody in. */
  readonly auth: 'auto' | 'login' | 'none';
  /** The address that the gateway listens on, as configured. */
  readonly listenHost: string;
  /** How long the cookie of a browser lives. */
  readonly lifetimeMs: number;
}

/** A variable of the configuration as it is in effect. */
export interface ConfiguredVariable {
  readonly topic: string;
  readonly name: string;
  readonly sentence: string;
  readonly isSet: boolean;
  /** Null for a secret, and for what is absent. */
  readonly value: string | null;
  readonly isSecret: boolean;
}

export interface ApiSettings {
  readonly version: string;
  /** Where people reach the gateway, without a slash at the end: PUBLIC_URL, or the listener's own address. */
  readonly baseUrl: string;
  /** Host names to serve beside that one, in lower case. */
  readonly allowedHosts: readonly string[];
  readonly trustProxy: TrustedProxies;
  readonly limits: LimitSettings;
  readonly bodyLimitBytes: number;
  /** Of JSON bodies that may hold a file as base64. */
  readonly mediaBodyLimitBytes: number;
  /** How long an accepted message may wait to be sent. */
  readonly messageTtlMs: number;
  readonly idempotency: {
    /** Whether operations that honour a key are refused without one. */
    readonly isRequired: boolean;
    /** How long a key is remembered. */
    readonly ttlMs: number;
  };
  readonly dashboard: DashboardSettings;
  /** How long the secret before a rotation signs, too. */
  readonly secretOverlapMs: number;
  /** The private networks that URLs from requests may lead to. */
  readonly outboundAllowCidr: readonly string[];
  /** Without the values of secrets. */
  readonly configuration: readonly ConfiguredVariable[];
}

/** Everything the API is built from. */
export interface ApiDependencies {
  readonly store: Store;
  readonly supervisor: SupervisorPort;
  /** Null when the sandbox is switched off. */
  readonly sandbox: SandboxPort | null;
  readonly media: Media;
  /** Hears of every message that is to be sent later, at unix milliseconds. */
  readonly schedule: { wakeAt(dueAt: number): void };
  /** Works on what is sent to many. */
  readonly bulk: { wake(): void };
  readonly pacing: Pick<Governors, 'of' | 'assertSoon'>;
  readonly webhookTester: WebhookTester;
  readonly auth: Authenticator;
  /** Has tokens that were changed looked up anew, and tells what has become of one. */
  readonly tokens: Pick<StoredTokens, 'forget' | 'forgetAll' | 'endOf'>;
  readonly audit: Pick<AuditLog, 'record'>;
  /** The superadmin token itself: for who asks for it by a request of its own, never for a page. */
  readonly revealSuperadminToken: () => string;
  readonly links: LoginLinks;
  readonly login: BrowserLogin;
  readonly streams: EventStreams;
  readonly qrImages: QrImages;
  readonly settings: ApiSettings;
  readonly observer?: Pick<Observer, 'requestAnswered'>;
  /** Absent where there are none to be seen. */
  readonly metrics?: Exposition | null;
  readonly log: Logger;
  readonly clock: Clock;
}
