import { WardenError } from '../../contract/errors.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deviceOf } from '../presenters/session.ts';
import type { SandboxPort } from '../sandbox-port.ts';

/** The simulator, for sandbox sessions only: throws `not_a_sandbox_session` for the others. */
export function sandboxOf(row: SessionRow, sandbox: SandboxPort | null): SandboxPort {
  if (!row.sandbox) throw new WardenError('not_a_sandbox_session');
  if (sandbox === null) {
    throw new WardenError('sandbox_unavailable', { message: 'The sandbox is switched off on this gateway.' });
  }
  return sandbox;
}

/** The control path of a session's account; throws `not_paired` when it has none yet. */
export function sandboxAccount(
  { supervisor, sandbox }: Pick<ApiDependencies, 'supervisor' | 'sandbox'>,
  row: SessionRow,
  path: string,
): { readonly port: SandboxPort; readonly path: string } {
  const port = sandboxOf(row, sandbox);
  const device = deviceOf(row, supervisor.view(row));
  if (device === null) throw new WardenError('not_paired');
  return { port, path: `/accounts/${encodeURIComponent(device.phoneNumber)}${path}` };
}
