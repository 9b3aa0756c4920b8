import { ulid } from 'ulid';
import type { NewWebhook } from '../../store/store.ts';
import { newWebhookSecret } from '../../webhooks/secret.ts';
import { isUsableSecret } from '../../webhooks/signature.ts';
import { invalidRequest } from './validation.ts';

interface WebhookParams {
  readonly url: string;
  readonly secret?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly ordered?: boolean | undefined;
}

/** A webhook ready to be stored, with an id and, unless the user brought one, a secret. `field` prefixes its params' names. */
export function newWebhook(params: WebhookParams, field = ''): NewWebhook {
  const { url, secret = newWebhookSecret(), events = ['all'], ordered = false } = params;
  if (!isUsableSecret(secret)) {
    throw invalidRequest([
      { field: `${field}secret`, expected: 'base64 after "whsec_", or a secret without that prefix' },
    ]);
  }
  return { id: `wh_${ulid()}`, url, secret, events: [...new Set(events)], ordered };
}
