/** What anybody may see: whether the gateway lives, its landing page and its documentation. */
import { Router } from '@koa/router';
import { assets } from './assets.ts';
import { dashboardAssets, dashboardScripts } from './dashboard/dashboard-assets.ts';
import type { ApiSettings } from './dependencies.ts';
import { openApiPathOnHost, swaggerAssets, swaggerAssetsPath, swaggerPage, swaggerPath } from './docs/swagger-page.ts';
import { docsPagePolicy } from './middleware/security-headers.ts';
import { openApiDocument } from './openapi.ts';
import type { RequestState } from './state.ts';

export function publicRoutes(settings: ApiSettings): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true });
  const document = JSON.stringify(openApiDocument(settings));
  router.get('/health', async (ctx) => {
    ctx.set('cache-control', 'no-store');
    ctx.type = 'text/plain';
    ctx.body = 'OK';
  });
  router.get('/', async (ctx) => ctx.redirect('/dashboard'));
  router.get('/assets/:file', assets(dashboardAssets));
  router.get('/assets/js/:file', assets(dashboardScripts));
  router.get(openApiPathOnHost, async (ctx) => {
    ctx.type = 'application/json';
    ctx.set('cache-control', 'no-cache');
    ctx.body = document;
  });
  router.get(swaggerPath, docsPagePolicy(), swaggerPage());
  router.get(`${swaggerAssetsPath}/:file`, assets(swaggerAssets));
  return router;
}
