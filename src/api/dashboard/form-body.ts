/** Reads what a form of a page sends. */
import { koaBody } from 'koa-body';
import { WardenError } from '../../contract/errors.ts';
import type { BrowserLogin } from '../auth/browser-login.ts';
import { inTime } from '../middleware/in-time.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';

const usualBytes = 512 * 1024;

/** Puts the fields into the state; throws `payload_too_large`, `unsupported_media_type`. */
export function formBody(limitBytes = usualBytes): RequestMiddleware {
  const read = koaBody({
    urlencoded: true,
    formLimit: limitBytes,
    json: false,
    text: false,
    multipart: false,
  });
  const whole = async (ctx: RequestContext): Promise<void> => {
    await read(ctx, async () => undefined);
  };
  return async (ctx, next) => {
    if (typeof ctx.is('application/x-www-form-urlencoded') !== 'string')
      throw new WardenError('unsupported_media_type');
    try {
      await inTime(ctx, whole(ctx));
    } catch (error) {
      if (error instanceof WardenError) throw error;
      const isTooLarge = error instanceof Error && 'status' in error && error.status === 413;
      throw new WardenError(isTooLarge ? 'payload_too_large' : 'invalid_request', { cause: error });
    }
    ctx.state.body = ctx.request.body;
    await next();
  };
}

/** Lets only forms of our own pages through: they carry the browser's form token. */
export function ownForms(login: Pick<BrowserLogin, 'isFormToken'>): RequestMiddleware {
  return async (ctx, next) => {
    const { browser } = ctx.state;
    if (browser === null || !login.isFormToken(browser, formField(ctx, 'csrf'))) {
      throw new WardenError('forbidden', { message: 'This form is of an earlier visit; load the page again.' });
    }
    await next();
  };
}

/** A field of the form as text; empty when it is absent, the first of several. */
export function formField(ctx: RequestContext, name: string): string {
  return formFields(ctx, name)[0] ?? '';
}

/** All values of a field that may stand in a form several times. */
export function formFields(ctx: RequestContext, name: string): readonly string[] {
  const body: unknown = ctx.state.body;
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return [];
  const value: unknown = Reflect.get(body, name);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each): each is string => typeof each === 'string');
}
