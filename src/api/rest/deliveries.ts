/** The log of a webhook's deliveries, and sending them again. */
import { WardenError } from '../../contract/errors.ts';
import type { WebhookKey } from '../../store/webhook-records.ts';
import { envelopeOf } from '../../webhooks/envelope.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentDelivery } from '../presenters/webhook.ts';
import { sessionOf, type Handlers } from './handler.ts';

type DeliveryOperationName = 'listDeliveries' | 'getDelivery' | 'replayDelivery' | 'replayDeliveries';

export function deliveryHandlers({ store: { deliveries } }: ApiDependencies): Handlers<DeliveryOperationName> {
  const keyOf = (
    call: Parameters<typeof sessionOf>[0] & { readonly params: { readonly webhook_id: string } },
  ): WebhookKey => ({ session: sessionOf(call).id, webhook: call.params.webhook_id });

  return {
    listDeliveries: async (call) => {
      const { status = null, event = null, limit, cursor = null } = call.params;
      const page = await deliveries.list(keyOf(call), { status, event, ...rangeOf(call.params), limit, cursor });
      return { deliveries: page.rows.map(presentDelivery), total: page.total, next_cursor: page.nextCursor };
    },

    getDelivery: async (call) => {
      const key = keyOf(call);
      const row = await deliveries.get(key, call.params.delivery_id);
      if (row === null) throw new WardenError('delivery_not_found');
      const { eventId: id, name, sequence, eventAt: at, data } = row;
      return { ...presentDelivery(row), body: envelopeOf({ id, name, session: key.session, sequence, at, data }) };
    },

    replayDelivery: async (call) => {
      const isFound = await deliveries.replay(keyOf(call), call.params.delivery_id);
      if (!isFound) throw new WardenError('delivery_not_found');
      return { success: true, message: 'The delivery is sent again.' };
    },

    replayDeliveries: async (call) => {
      const { status, include_missed: includesMissed } = call.params;
      const range = rangeOf(call.params);
      const replayed = await deliveries.replayAll(keyOf(call), { status, ...range });
      const missed = includesMissed ? await deliveries.createMissed(keyOf(call), range) : 0;
      const sum = replayed + missed;
      const message = sum === 1 ? '1 delivery is sent.' : `${sum} deliveries are sent.`;
      return { success: true, message, replayed, missed };
    },
  };
}

function rangeOf({ from, to }: { readonly from?: number | undefined; readonly to?: number | undefined }) {
  return { from: from === undefined ? null : from * 1_000, to: to === undefined ? null : to * 1_000 };
}
