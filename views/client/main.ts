/** What every page of the dashboard does; the script of the page itself is loaded behind it. */
import { serveActions } from './actions.ts';
import { showBusyForms } from './busy-forms.ts';
import { goLive } from './live.ts';
import { keepParts } from './parts.ts';
import { keepTimes } from './times.ts';

serveActions();
showBusyForms();
keepTimes();
keepParts();

const { live, session, address } = document.body.dataset;
// A form that was refused answers with its page: parts and reloading belong to the page, and not to the form.
if (address !== undefined) history.replaceState(null, '', address);
if (live !== undefined) goLive(live.split(' '), session ?? null);
