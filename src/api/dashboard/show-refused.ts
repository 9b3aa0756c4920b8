/** Shows the page of a form that was refused, with what was typed and what is wrong with it. */
import type { RequestContext } from '../state.ts';
import type { DashboardDependencies } from './dependencies.ts';
import { pageCall, pageFrame, type DashboardPage } from './page.ts';

export async function showRefused<Model extends object>(
  page: DashboardPage<Model>,
  dependencies: DashboardDependencies,
  ctx: RequestContext,
): Promise<void> {
  const model = await page.load(pageCall(ctx));
  ctx.status = 422;
  ctx.type = 'text/html';
  ctx.body = dependencies.render(page.template, { ...model, page: pageFrame(page, dependencies, ctx) });
}
