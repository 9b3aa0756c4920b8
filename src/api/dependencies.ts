import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Media } from '../media/media.ts';
import type { Store } from '../store/store.ts';
import type { WebhookTester } from '../webhooks/tester.ts';
import type { Authenticator } from './auth/principal.ts';
import type { QrImages } from './qr-image.ts';
import type { SandboxPort } from './sandbox-port.ts';
import type { SupervisorPort } from './supervisor-port.ts';

export interface ApiSettings {
  readonly version: string;
  /** Where people reach the gateway, without a slash at the end: PUBLIC_URL, or the listener's own address. */
  readonly baseUrl: string;
  readonly bodyLimitBytes: number;
  /** Of JSON bodies that may hold a file as base64. */
  readonly mediaBodyLimitBytes: number;
  /** How long an accepted message may wait to be sent. */
  readonly messageTtlMs: number;
  /** How long the secret before a rotation signs, too. */
  readonly secretOverlapMs: number;
  /** The private networks that URLs from requests may lead to. */
  readonly outboundAllowCidr: readonly string[];
}

/** Everything the API is built from. */
export interface ApiDependencies {
  readonly store: Store;
  readonly supervisor: SupervisorPort;
  /** Null when the sandbox is switched off. */
  readonly sandbox: SandboxPort | null;
  readonly media: Media;
  readonly webhookTester: WebhookTester;
  readonly auth: Authenticator;
  readonly qrImages: QrImages;
  readonly settings: ApiSettings;
  readonly log: Logger;
  readonly clock: Clock;
}
