/** Secrets that are asked for by a click, and stand on the page only for a while: sign-in links, the superadmin token. */
import { ask, formToken, textAt } from './ask.ts';
import { all, element } from './dom.ts';
import { toastFailure } from './toasts.ts';

const shownMs = 60_000;

serve('[data-login-link]', 'The sign-in link', async () => textAt(await ask('/login-links', { method: 'POST', body: {} }), 'url'));
serve('[data-reveal]', 'The superadmin token', revealed);

function serve(selector: string, label: string, fetchSecret: () => Promise<string>): void {
  for (const button of all(document, selector)) {
    button.addEventListener('click', () => void show(button, label, fetchSecret));
  }
}

async function show(button: HTMLElement, label: string, fetchSecret: () => Promise<string>): Promise<void> {
  const place = button.closest('[data-secret]')?.querySelector('[data-secret-place]');
  if (!place) return;
  button.setAttribute('aria-busy', 'true');
  button.setAttribute('disabled', '');
  try {
    const secret = await fetchSecret();
    const value = element('pre', { class: 'break wrapped', tabindex: '0', 'aria-label': label, text: secret });
    const copy = element('button', { class: 'button', type: 'button', 'data-copy': secret, text: 'Copy' });
    const hide = element('button', { class: 'button button-plain', type: 'button', text: 'Hide' });
    const clear = (): void => void (value.isConnected && place.replaceChildren());
    hide.addEventListener('click', clear);
    setTimeout(clear, shownMs);
    place.replaceChildren(element('div', { class: 'row' }, [value, copy, hide]));
  } catch (error) {
    toastFailure(error);
  } finally {
    button.removeAttribute('aria-busy');
    button.removeAttribute('disabled');
  }
}

async function revealed(): Promise<string> {
  const answer = await fetch('/dashboard/settings/superadmin-token', {
    method: 'POST',
    credentials: 'same-origin',
    body: new URLSearchParams({ csrf: formToken() }),
  });
  if (!answer.ok) throw new Error('The gateway does not show the token; load the page again.');
  return textAt(await answer.json(), 'token');
}
