/** Swagger UI, served wholly from this host and under this host's policy. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { koaSwagger } from 'koa2-swagger-ui';
import type { RequestMiddleware } from '../state.ts';

export const swaggerPath = '/swagger-ui';
export const openApiPathOnHost = '/api-docs/openapi.json';

const assetsVersion = '5';

/** Where the page's scripts and styles lie; a fixed list, so that no path of a request reaches the disk. */
const distFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

export const swaggerAssets: Readonly<Record<string, string>> = {
  // The page's template asks for a name that the distribution does not have.
  'swagger-ui.min.css': join(distFolder, 'swagger-ui.css'),
  'swagger-ui-bundle.js': join(distFolder, 'swagger-ui-bundle.js'),
  'swagger-ui-standalone-preset.js': join(distFolder, 'swagger-ui-standalone-preset.js'),
};

export const swaggerAssetsPath = `${swaggerPath}/assets/${assetsVersion}`;

/** The page itself. Its template links to a font host and has inline scripts: the former goes, the latter get a nonce. */
export function swaggerPage(): RequestMiddleware {
  const render = koaSwagger({
    title: 'Warden API',
    routePrefix: false,
    swaggerVersion: assetsVersion,
    swaggerCdnUrl: `${swaggerPath}/assets`,
    favicon: '/assets/icon.svg',
    hideTopbar: true,
    swaggerOptions: { dom_id: '#swagger-ui', url: openApiPathOnHost, layout: 'StandaloneLayout', validatorUrl: null },
  });
  return async (ctx) => {
    await render(ctx, async () => undefined);
    if (typeof ctx.body !== 'string') return;
    ctx.body = ctx.body
      .replace(/<link href="https:\/\/fonts[^>]*>/, '')
      .replace('type="image/png" href', 'type="image/svg+xml" href')
      .replaceAll('<script', `<script nonce="${ctx.state.nonce}"`);
  };
}
