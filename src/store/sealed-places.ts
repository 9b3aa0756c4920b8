/** Pure: where each kind of encrypted record lies. What is written here is part of what lies in databases. */
/** Whose records have no session. */
export const gatewayItself = '';

/** Where a record lies, and whose it is: nowhere else does it open. */
export interface RecordPlace {
  readonly table: 'credentials' | 'signal_keys' | 'webhooks' | 'idempotency';
  /** A session, or `gatewayItself`. */
  readonly owner: string;
  readonly key: string;
}

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
