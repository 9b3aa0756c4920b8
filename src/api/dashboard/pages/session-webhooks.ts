/** The webhooks of a session: how their receivers do, what was sent to one of them, and whether a signature is right. */
import { WardenError } from '../../../contract/errors.ts';
import { eventNames } from '../../../contract/events.ts';
import type { Result } from '../../../contract/index.ts';
import type { SessionRow } from '../../../store/store.ts';
import { callerOf, type Caller } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { noProblems, type FormProblems } from '../form.ts';
import { askSession } from '../session-call.ts';
import { defineSessionPage, sessionStatusEvents } from '../session-page.ts';
import { emptyWebhook, problemsByField, valuesOfWebhook, type WebhookValues } from '../webhook-values.ts';
import { outcomeOf, wordsOfDelivery, wordsOfHealth, type Delivery } from '../webhook-words.ts';

/** A form that was refused, with what was typed; null id is the form for a new webhook. */
export interface RefusedWebhook {
  readonly id: string | null;
  readonly values: WebhookValues;
  readonly problems: FormProblems;
}

type Query = Readonly<Record<string, string>>;
interface Asking {
  readonly row: SessionRow;
  readonly caller: Caller;
}

const logPage = 25;
const subscribable = eventNames.filter((name) => name !== 'test');
const liveEvents = subscribable.filter((name) => !sessionStatusEvents.some((each) => each === name));
const statuses = ['pending', 'delivered', 'dead', 'held'] as const satisfies readonly Delivery['status'][];

export function sessionWebhooksPage(dependencies: DashboardDependencies, refused: RefusedWebhook | null = null) {
  return defineSessionPage(dependencies, {
    tab: 'webhooks',
    template: 'session/webhooks.njk',
    parts: {
      hooks: 'session/_webhooks.njk',
      health: 'session/_webhook-health.njk',
      delivery: 'session/_delivery.njk',
      log: 'session/_deliveries.njk',
    },
    script: 'webhooks',
    live: liveEvents,
    load: async ({ ctx, row, query }) => {
      const asking = { row, caller: callerOf(ctx) };
      const { webhooks } = await askSession(dependencies, 'listWebhooks', { ...asking, input: {} });
      const chosen = chosenOf(webhooks, refused?.id ?? query['webhook']);
      // These parts are renewed often, and need nothing of the log.
      const isHealthAlone = query['part'] === 'hooks' || query['part'] === 'health';
      const edited = refused === null ? null : refused.id;
      const isAdding = refused !== null && refused.id === null;
      return {
        webhooks: webhooks.map((webhook) => ({ ...webhook, ...wordsOfHealth(webhook) })),
        chosen: chosen === null ? null : { ...chosen, ...wordsOfHealth(chosen) },
        add: {
          isOpen: isAdding,
          values: isAdding ? refused.values : emptyWebhook,
          problems: problemsByField(isAdding ? refused.problems : noProblems),
        },
        edit:
          chosen === null
            ? null
            : {
                isOpen: edited === chosen.id,
                values: edited === chosen.id && refused !== null ? refused.values : valuesOfWebhook(chosen),
                problems: problemsByField(edited === chosen.id && refused !== null ? refused.problems : noProblems),
              },
        eventNames: subscribable,
        log: chosen === null || isHealthAlone ? null : await logOf(dependencies, asking, { webhook: chosen.id, query }),
        delivery:
          chosen === null || isHealthAlone
            ? null
            : await deliveryOf(dependencies, asking, { webhook: chosen.id, query }),
      };
    },
  });
}

/** The one that was asked for; the only one needs no choice. */
function chosenOf(webhooks: Result<'listWebhooks'>['webhooks'], id: string | undefined) {
  if (id === undefined) return webhooks.length === 1 ? (webhooks[0] ?? null) : null;
  return webhooks.find((webhook) => webhook.id === id) ?? null;
}

async function logOf(
  dependencies: DashboardDependencies,
  asking: Asking,
  { webhook, query }: { readonly webhook: string; readonly query: Query },
) {
  const status = statuses.find((name) => name === query['status']) ?? null;
  const event = eventNames.find((name) => name === query['event']) ?? null;
  const cursor = query['cursor'] ?? null;
  const filter = { ...(status === null ? {} : { status }), ...(event === null ? {} : { event }) };
  const page = await askSession(dependencies, 'listDeliveries', {
    ...asking,
    input: { webhook_id: webhook, limit: logPage, ...filter, ...(cursor === null ? {} : { cursor }) },
  });
  const queryWith = (more: Query): string => new URLSearchParams({ webhook, ...filter, ...more }).toString();
  const here: Query = cursor === null ? {} : { cursor };
  return {
    rows: page.deliveries.map((delivery) => ({
      ...shown(delivery),
      query: queryWith({ ...here, delivery: delivery.id }),
    })),
    total: page.total,
    status,
    event,
    statuses: statuses.map((name) => ({ name, words: wordsOfDelivery[name].words })),
    events: eventNames,
    isFirstPage: cursor === null,
    newest: queryWith({}),
    older: page.next_cursor === null ? null : queryWith({ cursor: page.next_cursor }),
    close: queryWith(here),
  };
}

/** With all attempts and its body; null when none is asked for, or it is gone by now. */
async function deliveryOf(
  dependencies: DashboardDependencies,
  asking: Asking,
  { webhook, query }: { readonly webhook: string; readonly query: Query },
) {
  const id = query['delivery'];
  if (id === undefined) return null;
  try {
    const input = { webhook_id: webhook, delivery_id: id };
    const delivery = await askSession(dependencies, 'getDelivery', { ...asking, input });
    return {
      ...shown(delivery),
      /** Exactly as it was sent. */
      sent: JSON.stringify(delivery.body),
      readable: JSON.stringify(delivery.body, null, 2),
    };
  } catch (error) {
    if (error instanceof WardenError && ['delivery_not_found', 'invalid_request'].includes(error.code)) return null;
    throw error;
  }
}

const shown = <Each extends Delivery>(delivery: Each) => ({
  ...delivery,
  ...wordsOfDelivery[delivery.status],
  outcome: outcomeOf(delivery),
  lastAttempt: delivery.attempts.at(-1) ?? null,
});
