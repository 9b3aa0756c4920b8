/** The first page a person sees: what runs here and how to begin. It holds nothing that one must sign in for. */
import { join } from 'node:path';
import nunjucks from 'nunjucks';
import type { ApiSettings } from '../dependencies.ts';
import { openApiPathOnHost, swaggerPath } from '../docs/swagger-page.ts';
import type { RequestMiddleware } from '../state.ts';
import { viewsFolder } from './views-folder.ts';

export const landingAssets: Readonly<Record<string, string>> = {
  'warden.css': join(viewsFolder, 'assets', 'warden.css'),
  'icon.svg': join(viewsFolder, 'assets', 'icon.svg'),
};

export function landingPage(settings: ApiSettings): RequestMiddleware {
  const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(viewsFolder), {
    autoescape: true,
    throwOnUndefined: true,
  });
  const page = environment.render('landing/index.njk', {
    version: settings.version,
    baseUrl: settings.baseUrl,
    swaggerPath,
    openApiPath: openApiPathOnHost,
  });
  return async (ctx) => {
    ctx.type = 'text/html';
    ctx.set('cache-control', 'no-cache');
    ctx.body = page;
  };
}
