/** Media: where the files of messages lie, what accepted messages still need, and what was uploaded to be sent again. */
import { sql } from 'slonik';
import { z } from 'zod';
import { locationColumn, locationText, preparedColumn, preparedText } from './media-columns.ts';
import { noRow, type Database } from './pool.ts';
import type { MediaStore } from './store.ts';
import { textOf, timestampOf } from './values.ts';

export function createMediaStore(database: Database): MediaStore {
  return {
    location: async (session, messageId) => {
      const row = await database.run((connection) =>
        connection.maybeOne(sql.type(z.object({ media: locationColumn.nullable() }))`
          select media from messages
          where session_id = ${session} and id = ${textOf(messageId)}
          order by from_me desc, ordinal desc limit 1
        `),
      );
      return row === null ? 'unknown' : row.media;
    },
    moved: async (session, messageId, location) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update messages set media = ${locationText(location)}
          where session_id = ${session} and id = ${textOf(messageId)} and media is not null
        `),
      );
    },
    listSpooled: async () => {
      const rows = await database.run((connection) =>
        connection.any(sql.type(z.object({ path: z.string() }))`
          select prepared #>> '{source,path}' as path from messages
          where prepared is not null and status = 'accepted' and prepared #>> '{source,path}' is not null
          union all
          select prepared #>> '{source,path}' from scheduled_messages
          where prepared is not null and prepared #>> '{source,path}' is not null
        `),
      );
      return rows.map(({ path }) => path);
    },
    keepUploaded: async ({ id, sandbox, prepared, expiresAt }) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          insert into uploaded_media (id, sandbox, prepared, expires_at)
          values (${id}, ${sandbox}, ${preparedText(prepared)}, to_timestamp(${timestampOf(expiresAt)}))
        `),
      );
    },
    getUploaded: (id, sandbox, now) =>
      database.run((connection) =>
        connection.maybeOne(sql.type(uploadedMedia)`
          select id, sandbox, prepared, expires_at as "expiresAt" from uploaded_media
          where id = ${textOf(id)} and sandbox = ${sandbox} and expires_at > to_timestamp(${timestampOf(now)})
        `),
      ),
    deleteExpired: async (now) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          delete from uploaded_media where expires_at <= to_timestamp(${timestampOf(now)})
        `),
      );
    },
  };
}

const uploadedMedia = z.object({
  id: z.string(),
  sandbox: z.boolean(),
  prepared: preparedColumn,
  expiresAt: z.number(),
});
