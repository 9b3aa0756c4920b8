/** The HTTP side on one screen: the order of lines is the order in which a request meets them. */
import Koa from 'koa';
import type { ApiDependencies } from './dependencies.ts';
import { errors, unrouted } from './middleware/errors.ts';
import { createAttemptLimit } from './auth/attempt-limit.ts';
import { createLoginCookie } from './auth/login-cookie.ts';
import { dashboardRoutes } from './dashboard/dashboard-routes.ts';
import { createViews } from './dashboard/views.ts';
import { createUploadSlots } from './limits/upload-slots.ts';
import { client } from './middleware/client.ts';
import { hostCheck } from './middleware/host-check.ts';
import { identify } from './middleware/identify.ts';
import { jsonBody } from './middleware/json-body.ts';
import { createRequestLimits } from './middleware/limit-requests.ts';
import { requestId } from './middleware/request-id.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { publicRoutes } from './public-routes.ts';
import { createOperationRunner } from './rest/operation-runner.ts';
import { operationRoutes } from './rest/routes.ts';
import type { RequestState } from './state.ts';

export function createApp(dependencies: ApiDependencies): Koa<RequestState> {
  const { auth, tokens, login, settings, clock, log } = dependencies;
  const { baseUrl } = settings;
  const attempts = createAttemptLimit(settings.limits.failedLogins);
  const limits = createRequestLimits(settings.limits, clock);
  const uploads = createUploadSlots(settings.limits.uploads);
  const cookie = createLoginCookie(baseUrl);
  const run = createOperationRunner(dependencies);
  const app = new Koa<RequestState>();
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer could not be written'));
  app.use(requestId());
  app.use(client(settings.trustProxy, log));
  app.use(securityHeaders(baseUrl));
  app.use(errors(log));
  app.use(hostCheck(baseUrl, settings.allowedHosts));
  app.use(unrouted());
  app.use(limits.strangers());
  app.use(publicRoutes(settings).routes());
  app.use(identify({ auth, tokens, attempts, limits, login, cookie, clock, baseUrl }));
  const pages = { ...dependencies, cookie, run, attempts, limits, render: createViews(clock) };
  app.use(dashboardRoutes(pages).routes());
  app.use(limits.callers());
  app.use(jsonBody({ limitBytes: settings.bodyLimitBytes, mediaLimitBytes: settings.mediaBodyLimitBytes, uploads }));
  app.use(operationRoutes(dependencies, { run, limits, uploads }).routes());
  return app;
}
