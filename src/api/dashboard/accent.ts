/** The one colour of the theme that people choose, kept in a cookie of its own. */
import type { RequestContext } from '../state.ts';

export const accents = ['green', 'teal', 'blue', 'violet', 'amber', 'rose'] as const;
export type Accent = (typeof accents)[number];

const cookieName = 'warden_accent';
const yearSeconds = 365 * 86_400;

export const isAccent = (name: string): name is Accent => accents.some((accent) => accent === name);

export function accentOf(ctx: RequestContext): Accent {
  const name = ctx.cookies.get(cookieName) ?? '';
  return isAccent(name) ? name : 'green';
}

export function chooseAccent(ctx: RequestContext, accent: Accent): void {
  ctx.append('set-cookie', `${cookieName}=${accent}; Path=/; SameSite=Lax; Max-Age=${yearSeconds}`);
}
