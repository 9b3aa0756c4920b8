/** What every page of the dashboard does, and the script of the page itself where it has one. */
import { serveActions } from './actions.ts';
import { goLive } from './live.ts';
import { keepParts } from './parts.ts';
import { keepTimes } from './times.ts';

serveActions();
keepTimes();
keepParts();

const { script, live, session, address } = document.body.dataset;
// A form that was refused answers with its page: parts and reloading belong to the page, and not to the form.
if (address !== undefined) history.replaceState(null, '', address);
if (script !== undefined) {
  // The name comes from our own template.
  await import(`./page-${script}.js`);
}
if (live !== undefined) goLive(live.split(' '), session ?? null);
