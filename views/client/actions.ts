/**
 * Buttons that ask the API: `data-ask="POST /sessions/x/connect"`, with `data-confirm` for a question first, `data-body`
 * for JSON, `data-then` for where to go or `renew` for the parts of the page, `data-renew` for one of them alone. Without scripts the forms around them serve.
 */
import { ask } from './ask.ts';
import { confirmed } from './confirm.ts';
import { all } from './dom.ts';
import { renewPart } from './parts.ts';
import { toast, toastFailure } from './toasts.ts';

const methods = ['GET', 'POST', 'PATCH', 'DELETE'] as const;

export function serveActions(): void {
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('[data-ask], [data-copy]') : null;
    if (!(target instanceof HTMLElement)) return;
    event.preventDefault();
    if (target.dataset['copy'] !== undefined) void copy(target.dataset['copy']);
    else void act(target);
  });
}

async function act(button: HTMLElement): Promise<void> {
  const { ask: request = '', confirm: question, body, then, done, renew } = button.dataset;
  if (question !== undefined && !(await confirmed(question, button.dataset['confirmWord']))) return;
  const [word = '', path = ''] = request.split(' ', 2);
  const method = methods.find((each) => each === word) ?? 'POST';
  button.setAttribute('aria-busy', 'true');
  button.setAttribute('disabled', '');
  try {
    const sent: unknown = body === undefined ? undefined : JSON.parse(body);
    await ask(path, { method, ...(method === 'GET' || method === 'DELETE' ? {} : { body: sent ?? {} }) });
    if (done !== undefined) toast('good', done);
    const parts = all(document, renew === undefined ? '[data-part]' : `[data-part="${CSS.escape(renew)}"]`);
    if (then === undefined || then === 'renew') await Promise.all(parts.map(renewPart));
    else location.assign(then);
  } catch (error) {
    toastFailure(error);
  } finally {
    button.removeAttribute('aria-busy');
    button.removeAttribute('disabled');
  }
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast('good', 'Copied.');
  } catch {
    toast('bad', 'This browser does not allow copying here; mark the text and copy it by hand.');
  }
}
