import type { AttemptLimit } from '../auth/attempt-limit.ts';
import type { LoginCookie } from '../auth/login-cookie.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { RequestLimits } from '../middleware/limit-requests.ts';
import type { OperationRunner } from '../rest/operation-runner.ts';
import type { Render } from './views.ts';

/** What pages and forms of the dashboard are built from. */
export interface DashboardDependencies extends ApiDependencies {
  readonly render: Render;
  readonly run: OperationRunner;
  readonly cookie: LoginCookie;
  /** Of wrong tokens, in the API and in forms together. */
  readonly attempts: AttemptLimit;
  readonly limits: Pick<RequestLimits, 'callers'>;
}
