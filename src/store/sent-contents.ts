/** What was asked for of messages that were sent through the gateway: nothing else tells what is in one's own. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { SentContent } from './store.ts';
import { textOf } from './values.ts';

/** In no order; a message that was forwarded comes with the content of the one it repeats, when that is our own. */
export function listSentContents(
  connection: CommonQueryMethods,
  session: string,
  ids: readonly string[],
): Promise<readonly SentContent[]> {
  return connection.any(sql.type(sentContent)`
    select
      m.id, coalesce(f.operation, m.operation) as operation,
      case when coalesce(f.operation, m.operation) in ('sendLocation', 'sendContact', 'sendPoll')
        then coalesce(f.params, m.params) end as params,
      m.params ->> 'reply_to' as "replyTo",
      case when m.operation = 'forwardMessage' then m.params ->> 'message_id' end as "forwardOf"
    from messages m
    left join messages f
      on m.operation = 'forwardMessage' and f.session_id = m.session_id and f.id = m.params ->> 'message_id' and f.from_me
    where m.session_id = ${session} and m.id = any (${sql.array(ids.map(textOf), 'text')})
      and m.from_me and m.operation is not null and m.deleted_at is null
  `);
}

const sentContent = z.object({
  id: z.string(),
  operation: z.string(),
  params: z.unknown(),
  replyTo: z.string().nullable(),
  forwardOf: z.string().nullable(),
});

/** The emoji by the message that it is about: of several reactions to one the latest, which may be empty. */
export async function listOwnReactions(
  connection: CommonQueryMethods,
  session: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.any(sql.type(z.object({ target: z.string(), emoji: z.string() }))`
    select distinct on (params ->> 'message_id') params ->> 'message_id' as target, params ->> 'emoji' as emoji
    from messages
    where session_id = ${session} and operation = 'reactToMessage' and status <> 'failed'
      and params ->> 'message_id' = any (${sql.array(ids.map(textOf), 'text')})
    order by params ->> 'message_id', ordinal desc
  `);
  return new Map(rows.map(({ target, emoji }) => [target, emoji]));
}
