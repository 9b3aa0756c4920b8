/** Carries out operations, whoever asks: a route of the API, or a form of the dashboard. */
import { assertNever } from '../../contract/assert-never.ts';
import { WardenError } from '../../contract/errors.ts';
import {
  operations,
  type ChildOperationName,
  type GatewayOperationName,
  type OperationName,
  type SendOperationName,
} from '../../contract/index.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from './handler.ts';
import { loginLinkHandlers } from './login-links.ts';
import { mediaHandlers } from './media.ts';
import { messageHandlers } from './messages.ts';
import { pairingHandlers } from './pairing.ts';
import { preparedParams } from './prepared-params.ts';
import { sandboxPeopleHandlers } from './sandbox-people.ts';
import { sandboxGroupHandlers } from './sandbox-groups.ts';
import { sandboxHandlers } from './sandbox.ts';
import { send } from './send.ts';
import { sessionHandlers } from './sessions.ts';
import { supervisionHandlers } from './supervision.ts';
import { parseParams } from './validation.ts';
import { vitalsHandlers } from './vitals.ts';
import { webhookHandlers } from './webhooks.ts';

/** One call of an operation, not validated yet. */
export interface Run {
  readonly input: unknown;
  readonly row: SessionRow | null;
  readonly upload: UploadedFile | null;
  readonly signal: AbortSignal;
}

/** Whoever calls has made sure that this person may. Throws what validation and the operation throw. */
export type OperationRunner = (name: OperationName, run: Run) => Promise<unknown>;

export function createOperationRunner(dependencies: ApiDependencies): OperationRunner {
  const handlers: Handlers<GatewayOperationName> = {
    ...sessionHandlers(dependencies),
    ...supervisionHandlers(dependencies),
    ...vitalsHandlers(dependencies),
    ...loginLinkHandlers(dependencies),
    ...pairingHandlers(dependencies),
    ...webhookHandlers(dependencies),
    ...messageHandlers(dependencies),
    ...mediaHandlers(dependencies),
    ...sandboxHandlers(dependencies),
    ...sandboxGroupHandlers(dependencies),
    ...sandboxPeopleHandlers(dependencies),
  };
  // A type parameter of its own: it ties the handler to the params of the same name.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  const runGateway = <N extends GatewayOperationName>(name: N, run: Run): Promise<unknown> =>
    handlers[name]({ ...run, params: parseParams(name, run.input) });

  const runSend = (name: SendOperationName, run: Run): Promise<unknown> => {
    if (run.row === null) throw new WardenError('session_not_found');
    const { row, upload, signal } = run;
    return send(dependencies, { name, row, upload, signal, params: parseParams(name, run.input) });
  };

  const runChild = async (name: ChildOperationName, run: Run): Promise<unknown> => {
    if (run.row === null) throw new WardenError('session_not_found');
    const { deadlineMs } = operations[name];
    const params = await preparedParams(name, parseParams(name, run.input));
    return dependencies.supervisor.call(run.row.id, name, params, deadlineMs);
  };

  return (name, run) => {
    if (isGateway(name)) return runGateway(name, run);
    if (isSend(name)) return runSend(name, run);
    if (isChild(name)) return runChild(name, run);
    return assertNever(name);
  };
}

const isGateway = (name: OperationName): name is GatewayOperationName => operations[name].runs === 'gateway';
const isChild = (name: OperationName): name is ChildOperationName => operations[name].runs === 'child';
const isSend = (name: OperationName): name is SendOperationName => operations[name].runs === 'send';
