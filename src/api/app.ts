/** The HTTP side on one screen: the order of lines is the order in which a request meets them. */
import Koa from 'koa';
import type { ApiDependencies } from './dependencies.ts';
import { errors, unrouted } from './middleware/errors.ts';
import { createLoginCookie } from './auth/login-cookie.ts';
import { dashboardRoutes } from './dashboard/dashboard-routes.ts';
import { createViews } from './dashboard/views.ts';
import { hostCheck } from './middleware/host-check.ts';
import { identify } from './middleware/identify.ts';
import { jsonBody } from './middleware/json-body.ts';
import { observeRequest } from './middleware/observe-request.ts';
import { requestId } from './middleware/request-id.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { metricsRoute } from './metrics-route.ts';
import { publicRoutes } from './public-routes.ts';
import { createOperationRunner } from './rest/operation-runner.ts';
import { operationRoutes } from './rest/routes.ts';
import type { RequestState } from './state.ts';

export function createApp(dependencies: ApiDependencies): Koa<RequestState> {
  const { auth, tokens, login, settings, clock, log } = dependencies;
  const { baseUrl } = settings;
  const cookie = createLoginCookie(baseUrl);
  const run = createOperationRunner(dependencies);
  const app = new Koa<RequestState>();
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer could not be written'));
  app.use(requestId());
  app.use(observeRequest(dependencies.observer ?? null));
  app.use(securityHeaders(baseUrl));
  app.use(errors(log));
  app.use(hostCheck(baseUrl));
  app.use(unrouted());
  app.use(publicRoutes(settings).routes());
  app.use(metricsRoute(dependencies));
  app.use(identify({ auth, tokens, login, cookie, baseUrl }));
  app.use(dashboardRoutes({ ...dependencies, cookie, run, render: createViews(clock) }).routes());
  app.use(jsonBody({ limitBytes: settings.bodyLimitBytes, mediaLimitBytes: settings.mediaBodyLimitBytes }));
  app.use(operationRoutes(dependencies, run).routes());
  return app;
}
