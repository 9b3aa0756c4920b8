import { WardenError } from '../../contract/errors.ts';
import type { SessionRow } from '../../store/store.ts';
import type { SandboxPort } from '../sandbox-port.ts';

/** The simulator, for sandbox sessions only: throws `not_a_sandbox_session` for the others. */
export function sandboxOf(row: SessionRow, sandbox: SandboxPort | null): SandboxPort {
  if (!row.sandbox) throw new WardenError('not_a_sandbox_session');
  if (sandbox === null) {
    throw new WardenError('sandbox_unavailable', { message: 'The sandbox is switched off on this gateway.' });
  }
  return sandbox;
}
