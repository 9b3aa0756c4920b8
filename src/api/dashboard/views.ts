/** Renders the templates in views/. What a template may call is given here, and nothing else. */
import nunjucks from 'nunjucks';
import type { Clock } from '../../clock.ts';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatInstant,
  formatPhone,
  formatWords,
  initialsOf,
} from './format.ts';
import { viewsFolder } from './views-folder.ts';

export type Render = (template: string, model: object) => string;

/** Escapes everything, and throws for a name that a model lacks: a typing error must not become an empty place. */
export function createViews(clock: Clock): Render {
  const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(viewsFolder), {
    autoescape: true,
    throwOnUndefined: true,
    trimBlocks: true,
    lstripBlocks: true,
  });
  environment.addFilter('bytes', formatBytes);
  environment.addFilter('count', formatCount);
  environment.addFilter('duration', formatDuration);
  environment.addFilter('initials', initialsOf);
  environment.addFilter('phone', formatPhone);
  environment.addFilter('words', formatWords);
  // Unix seconds, as resources have them.
  environment.addFilter('when', (unixSeconds: number | null) =>
    unixSeconds === null ? '–' : timeElement(unixSeconds, clock.now()),
  );
  return (template, model) => environment.render(template, model);
}

/** A time that the client keeps relative, with the instant in full on hover. Holds nothing that needs escaping. */
function timeElement(unixSeconds: number, nowMs: number) {
  const atMs = unixSeconds * 1000;
  const instant = formatInstant(atMs);
  const iso = new Date(atMs).toISOString();
  return new nunjucks.runtime.SafeString(`<time datetime="${iso}" title="${instant}">${formatAgo(atMs, nowMs)}</time>`);
}
