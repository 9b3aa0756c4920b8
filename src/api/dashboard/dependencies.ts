import type { LoginCookie } from '../auth/login-cookie.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { OperationRunner } from '../rest/operation-runner.ts';
import type { Render } from './views.ts';

/** What pages and forms of the dashboard are built from. */
export interface DashboardDependencies extends ApiDependencies {
  readonly render: Render;
  readonly run: OperationRunner;
  readonly cookie: LoginCookie;
}
