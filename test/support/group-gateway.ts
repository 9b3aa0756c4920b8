/** What end-to-end tests about groups share: people, and what a webhook was told. */
import { at } from './api-client.ts';
import { eventually } from './eventually.ts';
import type { GatewayUnderTest } from './gateway.ts';
import type { HttpReceiver } from './http-receiver.ts';

export const account = '15550001111';
export const anna = '15551234567';
export const ben = '15557654321';
/** Never registered. */
export const nobody = '15559999999';

export const jidOf = (phone: string): string => `${phone}@s.whatsapp.net`;

/** A group of the session and these contacts, founded by the session unless `creator` is given. */
export async function foundGroup(
  gateway: GatewayUnderTest,
  session: string,
  options: {
    readonly participants?: readonly string[];
    readonly addressing?: 'lid' | 'pn';
    readonly creator?: string;
    readonly subject?: string;
  } = {},
): Promise<string> {
  const { subject = 'Release party', participants = [anna], ...others } = options;
  const body = { subject, participants, ...others };
  const group = await gateway.must(201, `/sessions/${session}/sandbox/groups`, body);
  return String(at(group, 'jid'));
}

/** Lets a contact do something in a group of the session "support". */
export function act(gateway: GatewayUnderTest, group: string, action: object): Promise<unknown> {
  return gateway.must(200, `/sessions/support/sandbox/groups/${group}/actions`, action);
}

/** The data of the first event of this name that matches. */
export function heard(receiver: HttpReceiver, name: string, matches: (data: unknown) => boolean): Promise<unknown> {
  const found = () =>
    receiver.requests.map(({ json }) => json).find((json) => at(json, 'event') === name && matches(at(json, 'data')));
  return eventually(
    () => {
      const event = found();
      return event === undefined ? null : { data: at(event, 'data') };
    },
    15_000,
    () => receiver.requests.map(({ json }) => json),
  ).then(({ data }) => data);
}

/** How often an event that matches has been told. */
export function countHeard(receiver: HttpReceiver, name: string, matches: (data: unknown) => boolean): number {
  const ids = receiver.requests.flatMap(({ json }) =>
    at(json, 'event') === name && matches(at(json, 'data')) ? [at(json, 'id')] : [],
  );
  return new Set(ids).size;
}

/** The list at a field of JSON; fails when there is none. */
export function listAt(json: unknown, field: string): readonly unknown[] {
  const value = at(json, field);
  if (!isList(value)) throw new Error(`no list at ${field}: ${JSON.stringify(json)}`);
  return value;
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
