/** The pool of connections: row validation, time limits, and the one place where failures of the database are told apart. */
import {
  BackendTerminatedError,
  BackendTerminatedUnexpectedlyError,
  type CommonQueryMethods,
  ConnectionError,
  createPool,
  createTypeParserPreset,
  IdleTransactionTimeoutError,
  IntegrityConstraintViolationError,
  type Interceptor,
  SchemaValidationError,
  SlonikError,
  StatementCancelledError,
  StatementTimeoutError,
} from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { Logger } from '../log.ts';
import { traced } from '../tracing.ts';
import { withDeadline } from './deadline.ts';
import { createLender, type Trials } from './lend-connection.ts';
import { createPreparedStatements } from './prepared-statements.ts';
import type { PoolUse } from './store.ts';

const statementTimeoutMs = 5_000;
const connectTimeoutMs = 2_000;
/** For everything but the group commit. */
export const usualPoolSize = 10;
/** Bounds what no limit inside the database can: a network that swallows packets. */
const callTimeoutMs = 8_000;
/** How long a connection that is given up is waited for before it is cut. */
const terminationMs = 1_000;

/** Row parser of statements that answer nothing. */
export const noRow = z.object({});

export interface Database {
  /** Runs statements, each in its own transaction. Throws `storage_unavailable` when the database does not answer. */
  run<T>(work: (connection: CommonQueryMethods) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Runs statements in one transaction; what `work` throws rolls it back. */
  transaction<T>(work: (connection: CommonQueryMethods) => Promise<T>): Promise<T>;
  connections(): PoolUse;
  end(): Promise<void>;
}

interface PoolOptions {
  readonly maxPoolSize?: number;
  /** Shared by the pools of one database. */
  readonly trials?: Trials;
}

/** Opens a pool and makes sure that the database answers. */
export async function openDatabase(
  connection: string,
  log: Logger,
  { maxPoolSize = usualPoolSize, trials = new Set() }: PoolOptions = {},
): Promise<Database> {
  const opening = withDeadline(callTimeoutMs, () =>
    createPool(connection, {
      maxPoolSize,
      statementTimeout: statementTimeoutMs,
      connectionTimeout: connectTimeoutMs,
      connectionRetryLimit: 1,
      idleInTransactionSessionTimeout: 10_000,
      idleTimeout: 30_000,
      gracefulTerminationTimeout: terminationMs,
      // Nothing here leaves state behind in a connection, so that resetting it would be a wasted round trip.
      resetConnection: () => Promise.resolve(),
      typeParsers: [
        ...createTypeParserPreset().filter((parser) => parser.name !== 'int8'),
        // Sequences and epochs stay far below 2^53.
        { name: 'int8', parse: Number },
      ],
      interceptors: [createPreparedStatements(), rowValidation],
    }),
  );
  const pool = await translated(opening);
  pool.on('error', (error) => log.warn({ err: error }, 'database connection failed'));
  const lend = createLender(pool, maxPoolSize, trials);
  return {
    run: (work, timeoutMs = callTimeoutMs) => traced('store statements', {}, () => translated(lend(timeoutMs, work))),
    transaction: (work) =>
      traced('store transaction', {}, () =>
        translated(
          lend(callTimeoutMs, (connection, { signal }) =>
            connection.transaction(async (transaction) => {
              const result = await work(transaction);
              // The caller has been told that this failed: it must not come true afterwards.
              signal.throwIfAborted();
              return result;
            }),
          ),
        ),
      ),
    connections: () => {
      const { acquiredConnections: acquired, idleConnections: idle, waitingClients: waiting } = pool.state();
      return { acquired, idle, waiting, size: maxPoolSize };
    },
    end: () => pool.end(),
  };
}

/** Validates rows by the schema given to `sql.type`; without this slonik ignores it silently. */
const rowValidation: Interceptor = {
  name: 'row-validation',
  transformRow: (context, query, row) => {
    const parser = context.resultParser;
    if (parser === undefined) return row;
    const result = parser['~standard'].validate(row);
    if (result instanceof Promise) throw new TypeError('row parsers are synchronous');
    if (result.issues !== undefined) throw new SchemaValidationError(query, row, result.issues);
    return rowOf(result.value);
  },
};

type Row = Parameters<NonNullable<Interceptor['transformRow']>>[2];

function rowOf(value: unknown): Row {
  if (!isRow(value)) throw new TypeError('a row parser answered something other than an object');
  return value;
}

/** Slonik types rows by what the driver delivers; what a parser made of one passes through untouched. */
function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}

/**
 * A statement that the database or a row parser refused. It carries no values: those of the original may be messages
 * and keys, and errors end up in logs.
 */
export class StatementFault extends Error {
  override readonly name = 'StatementFault';
  /** The SQLSTATE, where there is one. */
  readonly state: string | null;
  readonly constraint: string | null;

  constructor(message: string, facts: { readonly state: string | null; readonly constraint: string | null }) {
    super(message);
    this.state = facts.state;
    this.constraint = facts.constraint;
  }
}

/** The name of the unique index, key or foreign key that a statement violated, or null. */
export function violatedConstraint(error: unknown): string | null {
  return error instanceof StatementFault ? error.constraint : null;
}

function withoutValues(error: unknown): unknown {
  if (error instanceof IntegrityConstraintViolationError) {
    const message = `constraint ${error.constraint ?? 'unknown'} is violated`;
    return new StatementFault(message, { state: stateOf(error.cause), constraint: error.constraint });
  }
  if (error instanceof SchemaValidationError) {
    const columns = error.issues.map((issue) => issue.path?.map(String).join('.') ?? '').join(', ');
    return new StatementFault(`a row does not fit its parser in: ${columns}`, { state: null, constraint: null });
  }
  const state = stateOf(error) ?? (error instanceof Error ? stateOf(error.cause) : null);
  if (error instanceof SlonikError || state !== null) {
    const name = error instanceof Error ? error.name : 'error';
    return new StatementFault(`the database refused a statement: ${name} ${state ?? ''}`, { state, constraint: null });
  }
  return error;
}

/** The SQLSTATE that the driver puts on its errors. */
function stateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** Tells failures of the database from faults of a statement. */
async function translated<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw isUnavailability(error)
      ? new WardenError('storage_unavailable', { retryAfterMs: 1_000, cause: error })
      : withoutValues(error);
  }
}

/**
 * SQLSTATE classes and codes that say "not now" rather than "not like this": connection, resources, operator
 * intervention, disk, read-only standby, lost serialisation and deadlock.
 */
const unavailableState = /^(08|53|57P|58|25006|25P03|40001|40P01|55P03)/;
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  // No descriptor is free for another connection.
  'EMFILE',
  'ENFILE',
]);

/** Whether an error says that the database cannot be reached or cannot serve, as against a fault of the statement. */
function isUnavailability(error: unknown): boolean {
  if (error instanceof WardenError) return false;
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth += 1) {
    if (
      current instanceof ConnectionError ||
      current instanceof BackendTerminatedError ||
      current instanceof BackendTerminatedUnexpectedlyError ||
      current instanceof IdleTransactionTimeoutError ||
      current instanceof StatementCancelledError ||
      current instanceof StatementTimeoutError
    ) {
      return true;
    }
    const code: unknown = 'code' in current ? current.code : undefined;
    if (typeof code === 'string' && networkCodes.has(code)) return true;
    if (unavailableState.test(stateOf(current) ?? '')) return true;
    if (unavailableText.test(current.message)) return true;
    if (current instanceof AggregateError && current.errors.some(isUnavailability)) return true;
  }
  return false;
}

/** What the driver and the pool say without a code of their own. */
const unavailableText =
  /connection terminated|timeout expired|connection pool (is being|has)|not queryable|client has encountered/i;
