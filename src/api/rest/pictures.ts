import type { ApiDependencies } from '../dependencies.ts';
import type { RequestContext } from '../state.ts';

/** The QR code in the form that the Accept header prefers to JSON, or null when JSON is as welcome. */
export async function pictures(
  { qrImages }: Pick<ApiDependencies, 'qrImages'>,
  ctx: RequestContext,
  code: string,
): Promise<{ readonly type: string; readonly body: Buffer | string } | null> {
  ctx.vary('Accept');
  switch (ctx.accepts('application/json', 'image/png', 'image/svg+xml')) {
    case 'image/png':
      return { type: 'image/png', body: await qrImages.png(code) };
    case 'image/svg+xml':
      return { type: 'image/svg+xml', body: await qrImages.svg(code) };
    default:
      return null;
  }
}
