/** What every page of the dashboard does, and the script of the page itself where it has one. */
import { serveActions } from './actions.ts';
import { goLive } from './live.ts';
import { keepParts } from './parts.ts';
import { keepTimes } from './times.ts';

serveActions();
keepTimes();
keepParts();

const { script, live, session } = document.body.dataset;
if (script !== undefined) {
  // The name comes from our own template.
  await import(`./page-${script}.js`);
}
if (live !== undefined) goLive(live.split(' '), session ?? null);
