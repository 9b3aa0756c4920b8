/** Messages that are to be sent later. */
import { WardenError } from '../../contract/errors.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentScheduled } from '../presenters/scheduled.ts';
import { requireReachable } from './due-time.ts';
import { sessionOf, type Handlers } from './handler.ts';

type ScheduledOperationName = 'listScheduled' | 'rescheduleMessage' | 'cancelScheduled';

export function scheduledHandlers({
  store,
  media,
  schedule,
  clock,
}: Pick<ApiDependencies, 'store' | 'media' | 'schedule' | 'clock'>): Handlers<ScheduledOperationName> {
  /** Why there is no such scheduled message: it is sent by now, or never was one. */
  const absence = async (row: SessionRow, id: string): Promise<WardenError> => {
    const message = await store.messages.find(row.id, id);
    return new WardenError(message?.fromMe === true ? 'message_not_scheduled' : 'message_not_found');
  };

  return {
    listScheduled: async (call) => {
      const { limit, cursor } = call.params;
      const page = await store.scheduled.list(sessionOf(call).id, { limit, cursor: cursor ?? null });
      return { messages: page.rows.map(presentScheduled), total: page.total, next_cursor: page.nextCursor };
    },

    rescheduleMessage: async (call) => {
      const row = sessionOf(call);
      const { message_id: id, send_at: dueAt } = call.params;
      requireReachable(dueAt, clock.now());
      const moved = await store.scheduled.move(row.id, id, dueAt);
      if (moved === null) throw await absence(row, id);
      schedule.wakeAt(dueAt);
      return presentScheduled(moved);
    },

    cancelScheduled: async (call) => {
      const row = sessionOf(call);
      const id = call.params.message_id;
      const cancelled = await store.scheduled.cancel(row.id, id);
      if (cancelled === 'gone') throw await absence(row, id);
      if (cancelled.path !== null) await media.spool.release(cancelled.path);
      return { success: true, message: 'Scheduled message cancelled.' };
    },
  };
}
