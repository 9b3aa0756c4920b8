/** A form that the browser sends by itself shows that it is under way until the next page is there. */
import { all } from './dom.ts';

export function showBusyForms(): void {
  // At the window: whoever sends the form by a script, or asks first, has had its turn before.
  window.addEventListener('submit', (event) => {
    if (event.defaultPrevented || event.submitter === null) return;
    event.submitter.setAttribute('aria-busy', 'true');
  });
  // A page that the browser kept is as it was when it was left.
  window.addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    for (const button of all(document, 'form button[aria-busy="true"]')) button.removeAttribute('aria-busy');
  });
}
