import type { ApiDependencies } from '../dependencies.ts';
import { presentPacing } from '../presenters/pacing.ts';
import { sessionOf, type Handlers } from './handler.ts';

export function pacingHandlers({ pacing }: Pick<ApiDependencies, 'pacing'>): Handlers<'getPacing'> {
  return { getPacing: async (call) => presentPacing(await pacing.of(sessionOf(call)).view()) };
}
