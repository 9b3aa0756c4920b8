/** Carries out operations, whoever asks: a route of the API, or a form of the dashboard. */
import { assertNever } from '../../contract/assert-never.ts';
import { WardenError } from '../../contract/errors.ts';
import {
  operations,
  type ChildOperationName,
  type GatewayOperationName,
  type OperationName,
  type SendOperationName,
  type StreamOperationName,
} from '../../contract/index.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import type { SessionRow } from '../../store/store.ts';
import { traced } from '../../tracing.ts';
import type { Caller } from '../caller.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { auditHandlers } from './audit.ts';
import { auditedRun } from './audited-run.ts';
import { bulkHandlers } from './bulk.ts';
import { deliveryHandlers } from './deliveries.ts';
import type { Handlers } from './handler.ts';
import { Idempotency, type RequestKey } from './idempotency.ts';
import { loginLinkHandlers } from './login-links.ts';
import { mediaHandlers } from './media.ts';
import { messageHandlers } from './messages.ts';
import { pacingHandlers } from './pacing.ts';
import { pairingHandlers } from './pairing.ts';
import { preparedParams } from './prepared-params.ts';
import { sandboxPeopleHandlers } from './sandbox-people.ts';
import { sandboxGroupHandlers } from './sandbox-groups.ts';
import { sandboxPhoneHandlers } from './sandbox-phone.ts';
import { sandboxHandlers } from './sandbox.ts';
import { scheduledHandlers } from './scheduled.ts';
import { send } from './send.ts';
import { sessionHandlers } from './sessions.ts';
import { supervisionHandlers } from './supervision.ts';
import { tokenHandlers } from './tokens.ts';
import { transferHandlers } from './transfers.ts';
import { parseParams } from './validation.ts';
import { vitalsHandlers } from './vitals.ts';
import { webhookStatsHandlers } from './webhook-stats.ts';
import { webhookHandlers } from './webhooks.ts';

/** One call of an operation, not validated yet. */
export interface Run {
  readonly input: unknown;
  readonly row: SessionRow | null;
  readonly upload: UploadedFile | null;
  /** With an Idempotency-Key the operation runs once, however often it is asked for. */
  readonly key: RequestKey | null;
  /** Who asks: for the audit log, and for what depends on the person. */
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** Whoever calls has made sure that this person may. Throws what validation and the operation throw. */
export type OperationRunner = (name: AnsweredOnce, run: Run) => Promise<unknown>;

export function createOperationRunner(dependencies: ApiDependencies): OperationRunner {
  const idempotency = new Idempotency(dependencies);
  const handlers: Handlers<GatewayOperationName> = {
    ...sessionHandlers(dependencies),
    ...transferHandlers(dependencies),
    ...supervisionHandlers(dependencies),
    ...vitalsHandlers(dependencies),
    ...webhookStatsHandlers(dependencies),
    ...loginLinkHandlers(dependencies),
    ...pacingHandlers(dependencies),
    ...tokenHandlers(dependencies),
    ...auditHandlers(dependencies),
    ...pairingHandlers(dependencies),
    ...webhookHandlers(dependencies),
    ...deliveryHandlers(dependencies),
    ...messageHandlers(dependencies),
    ...scheduledHandlers(dependencies),
    ...bulkHandlers(dependencies),
    ...mediaHandlers(dependencies),
    ...sandboxHandlers(dependencies),
    ...sandboxGroupHandlers(dependencies),
    ...sandboxPeopleHandlers(dependencies),
    ...sandboxPhoneHandlers(dependencies),
  };
  // A type parameter of its own: it ties the handler to the params of the same name.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  const runGateway = async <N extends GatewayOperationName>(name: N, run: Run): Promise<unknown> => {
    const params = parseParams(name, run.input);
    return idempotency.once({ ...run, name, params }, async (take) => {
      await take(null);
      return handlers[name]({ ...run, params });
    });
  };

  const runSend = async (name: SendOperationName, run: Run): Promise<unknown> => {
    if (run.row === null) throw new WardenError('session_not_found');
    const { row, upload, signal } = run;
    const params = parseParams(name, run.input);
    return idempotency.once({ ...run, name, params }, (take) =>
      send(dependencies, { name, row, upload, signal, params, take, hasKey: run.key !== null }),
    );
  };

  const runChild = async (name: ChildOperationName, run: Run): Promise<unknown> => {
    if (run.row === null) throw new WardenError('session_not_found');
    const { id } = run.row;
    const params = parseParams(name, run.input);
    return idempotency.once({ ...run, name, params }, async (take) => {
      const prepared = await preparedParams(name, params);
      // A session that can do nothing now refuses before the key is taken: nothing has happened, and everybody knows.
      if (run.key !== null) await dependencies.supervisor.assertSendable(id);
      await take(null);
      return dependencies.supervisor.call(id, name, prepared, operations[name].deadlineMs);
    });
  };

  const carryOut: OperationRunner = (name, run) => {
    if (isGateway(name)) return runGateway(name, run);
    if (isSend(name)) return runSend(name, run);
    if (isChild(name)) return runChild(name, run);
    return assertNever(name);
  };
  return auditedRun(dependencies.audit, (name, run) =>
    traced(`operation ${name}`, run.row === null ? {} : { 'warden.session': run.row.id }, () => carryOut(name, run)),
  );
}

/** What has one answer; event streams are served by their routes. */
export type AnsweredOnce = Exclude<OperationName, StreamOperationName>;

const isGateway = (name: AnsweredOnce): name is GatewayOperationName => operations[name].runs === 'gateway';
const isChild = (name: AnsweredOnce): name is ChildOperationName => operations[name].runs === 'child';
const isSend = (name: AnsweredOnce): name is SendOperationName => operations[name].runs === 'send';
