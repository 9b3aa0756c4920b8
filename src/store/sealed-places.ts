/** Pure: where each kind of encrypted record lies. What is written here is part of what lies in databases. */
import { gatewayItself, type RecordPlace } from './vault.ts';

export const credentialsPlace = (session: string): RecordPlace => ({
  table: 'credentials',
  owner: session,
  key: 'creds',
});

export const signalKeyPlace = (session: string, type: string, id: string): RecordPlace => ({
  table: 'signal_keys',
  owner: session,
  key: `${type}|${id}`,
});

/** A webhook's secret and the one before it: a rotation moves the one to the other's column as it is. */
export const webhookSecretPlace = (session: string, webhook: string): RecordPlace => ({
  table: 'webhooks',
  owner: session,
  key: webhook,
});

export const outcomePlace = (ordinal: number): RecordPlace => ({
  table: 'idempotency',
  owner: gatewayItself,
  key: String(ordinal),
});
