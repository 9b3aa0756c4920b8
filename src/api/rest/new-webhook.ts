/** From what a client asks of a webhook to what is stored. */
import { ulid } from 'ulid';
import type { WebhookConditionsParams } from '../../contract/operations/webhook-conditions.ts';
import { urlObjection } from '../../media/guarded-fetch.ts';
import { createAddressPolicy, type AddressPolicy } from '../../media/private-address.ts';
import type { NewWebhook, WebhookConditions } from '../../store/webhook-records.ts';
import { newWebhookSecret } from '../../webhooks/secret.ts';
import { isUsableSecret } from '../../webhooks/signature.ts';
import type { Principal } from '../auth/principal.ts';
import { invalidRequest } from './validation.ts';

interface WebhookParams {
  readonly url: string;
  readonly secret?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly conditions?: WebhookConditionsParams | undefined;
  readonly ordered?: boolean | undefined;
}

/** Where URLs of somebody may lead. */
export interface UrlRights {
  readonly allowPrivate: boolean;
  /** What holds for those who may not reach private addresses. */
  readonly policy: AddressPolicy;
}

interface Origin {
  /** Prefixes the params' names in errors. */
  readonly field?: string;
  readonly rights: UrlRights;
}

/** The operator's URLs may lead to its own network, where receivers often are; everybody else's may not. */
export function urlRights(allowCidrs: readonly string[]): (principal: Principal | null) => UrlRights {
  const policy = createAddressPolicy(allowCidrs);
  return (principal) => ({ allowPrivate: principal?.scopes.includes('admin') === true, policy });
}

/** A webhook ready to be stored, with an id and, unless the user brought one, a secret. */
export function newWebhook(params: WebhookParams, { field = '', rights }: Origin): NewWebhook {
  const { url, events = ['all'], conditions, ordered = false } = params;
  return {
    id: `wh_${ulid()}`,
    url: permittedUrl(url, { field, rights }),
    secret: usableSecret(params.secret, field),
    events: [...new Set(events)],
    conditions: conditions === undefined ? null : storedConditions(conditions),
    ordered,
    allowPrivate: rights.allowPrivate,
  };
}

/** Names that resolve to private addresses are refused when they are connected to. */
export function permittedUrl(url: string, { field = '', rights }: Origin): string {
  const objection = rights.allowPrivate ? null : urlObjection(url, rights.policy);
  if (objection !== null) throw invalidRequest([{ field: `${field}url`, expected: objection }]);
  return url;
}

/** The secret given, or a new one. */
export function usableSecret(secret: string | undefined, field = ''): string {
  if (secret === undefined) return newWebhookSecret();
  if (isUsableSecret(secret)) return secret;
  throw invalidRequest([
    { field: `${field}secret`, expected: 'base64 after "whsec_", or a secret without that prefix' },
  ]);
}

export function storedConditions(conditions: WebhookConditionsParams): WebhookConditions {
  const { chats, senders, text } = conditions;
  return {
    chats: chats ?? null,
    senders: senders ?? null,
    isGroup: conditions.is_group ?? null,
    isFromMe: conditions.is_from_me ?? null,
    text:
      text === undefined
        ? null
        : {
            contains: text.contains ?? null,
            startsWith: text.starts_with ?? null,
            matches: text.matches ?? null,
            ignoreCase: text.ignore_case,
          },
  };
}
