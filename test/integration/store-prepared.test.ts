import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'slonik';
import { z } from 'zod';
import { logger } from '../../src/log.ts';
import { openDatabase, type Database } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let testDatabase: TestDatabase;
let database: Database;
before(async () => {
  testDatabase = await createTestDatabase();
  database = await openDatabase(testDatabase.url, logger('store'));
});
after(async () => {
  await database.end();
  await testDatabase.dispose();
});

const doubled = z.object({ doubled: z.number() });

test('a statement that comes again and again is prepared once, whatever its values, and answers as before', async () => {
  await database.run(async (connection) => {
    for (let value = 0; value < 50; value += 1) {
      const row = await connection.one(sql.type(doubled)`select ${value}::int8 * 2 as doubled`);
      assert.equal(row.doubled, value * 2);
      await connection.one(sql.type(doubled)`select cardinality(${sql.array([1, value], 'int8')})::int8 as doubled`);
    }
    await connection.one(sql.type(doubled)`select 21::int8 * 2 as doubled`);
    const prepared = await connection.any(
      sql.type(z.object({ statement: z.string() }))`select statement from pg_prepared_statements order by statement`,
    );
    assert.deepEqual(
      prepared.map(({ statement }) => statement),
      ['select $1::int8 * 2 as doubled', 'select cardinality($1::"int8"[])::int8 as doubled'],
    );
  });
});

test('a prepared statement that the database refuses fails alone: the next run of it succeeds', async () => {
  await database.run(async (connection) => {
    const divide = (by: number) => connection.one(sql.type(doubled)`select 10::int8 / ${by}::int8 as doubled`);
    for (let run = 0; run < 30; run += 1) await divide(5);
    await assert.rejects(divide(0));
    assert.equal((await divide(2)).doubled, 5);
  });
});
