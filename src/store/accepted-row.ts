/** How an accepted message is read back. */
import { sql } from 'slonik';
import { z } from 'zod';
import { preparedColumn } from './media-columns.ts';
import { messageIdColumn, sessionIdColumn } from './values.ts';

export const acceptedColumns = sql.fragment`
  session_id as session, id, operation, params, chat, at as "acceptedAt", expires_at as "expiresAt", prepared as media
`;

export const acceptedSend = z.object({
  session: sessionIdColumn,
  id: messageIdColumn,
  operation: z.string(),
  params: z.unknown(),
  chat: z.string(),
  acceptedAt: z.number(),
  expiresAt: z.number(),
  media: preparedColumn.nullable(),
});
