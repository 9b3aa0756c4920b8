/** The HTTP side on one screen: the order of lines is the order in which a request meets them. */
import Koa from 'koa';
import type { ApiDependencies } from './dependencies.ts';
import { errors, unrouted } from './middleware/errors.ts';
import { hostCheck } from './middleware/host-check.ts';
import { jsonBody } from './middleware/json-body.ts';
import { requestId } from './middleware/request-id.ts';
import { requireToken } from './middleware/require-token.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { publicRoutes } from './public-routes.ts';
import { operationRoutes } from './rest/routes.ts';
import type { RequestState } from './state.ts';

export function createApp(dependencies: ApiDependencies): Koa<RequestState> {
  const { auth, settings, log } = dependencies;
  const app = new Koa<RequestState>();
  app.on('error', (error: unknown) => log.debug({ err: error }, 'answer could not be written'));
  app.use(requestId());
  app.use(securityHeaders(settings.baseUrl));
  app.use(errors(log));
  app.use(hostCheck(settings.baseUrl));
  app.use(unrouted());
  app.use(publicRoutes(settings).routes());
  app.use(requireToken(auth));
  app.use(jsonBody({ limitBytes: settings.bodyLimitBytes, mediaLimitBytes: settings.mediaBodyLimitBytes }));
  app.use(operationRoutes(dependencies).routes());
  return app;
}
