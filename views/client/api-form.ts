/**
 * Forms that ask the API: `data-send="POST /sessions/x/sandbox/contacts"`. Fields go by their names; `data-optional` is
 * left out when empty, `data-list` gathers the ticked boxes of a name, what is hidden is not sent. Says beside the field
 * what is wrong with it. `data-then`: `renew` (the parts of the page), `reload`, or a name that the page's script knows.
 */
import { ask, AskError } from './ask.ts';
import { all, element } from './dom.ts';
import { renewPart } from './parts.ts';
import { toast } from './toasts.ts';

type Follow = (answer: unknown) => void;

export function serveForms(follow: Readonly<Record<string, Follow>> = {}): void {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset['send'] === undefined) return;
    event.preventDefault();
    void send(form, follow);
  });
}

async function send(form: HTMLFormElement, follow: Readonly<Record<string, Follow>>): Promise<void> {
  const { send: request = '', done, then = 'renew' } = form.dataset;
  const [method, path = ''] = request.split(' ', 2);
  const buttons = all(form, 'button[type="submit"]');
  for (const button of buttons) button.setAttribute('aria-busy', 'true');
  clear(form);
  try {
    if (form.getAttribute('aria-busy') === 'true') return;
    form.setAttribute('aria-busy', 'true');
    const answer = await ask(path, { method: method === 'PATCH' ? 'PATCH' : 'POST', body: valuesOf(form) });
    if (done !== undefined) toast('good', done);
    if (then === 'reload') location.reload();
    else if (then === 'renew') await Promise.all(all(document, '[data-part]').map(renewPart));
    else follow[then]?.(answer);
  } catch (error) {
    tell(form, error);
  } finally {
    form.removeAttribute('aria-busy');
    for (const button of buttons) button.removeAttribute('aria-busy');
  }
}

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function fieldsOf(form: HTMLFormElement): readonly Field[] {
  return [...form.elements].filter(
    (each): each is Field =>
      (each instanceof HTMLInputElement || each instanceof HTMLSelectElement || each instanceof HTMLTextAreaElement) &&
      each.name !== '' &&
      each.closest('[hidden]') === null,
  );
}

function valuesOf(form: HTMLFormElement): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  const lists = new Map<string, string[]>();
  for (const field of fieldsOf(form)) {
    const { name, value, dataset } = field;
    if (dataset['list'] !== undefined) {
      const list = lists.get(name) ?? [];
      if (field instanceof HTMLInputElement && field.checked) list.push(value);
      lists.set(name, list);
    } else if (field instanceof HTMLInputElement && field.type === 'checkbox') values[name] = field.checked;
    else if (value.trim() === '' && dataset['optional'] !== undefined) continue;
    else if (field instanceof HTMLInputElement && field.type === 'number') values[name] = Number(value);
    else values[name] = value;
  }
  return { ...values, ...Object.fromEntries(lists) };
}

function clear(form: HTMLFormElement): void {
  for (const old of all(form, '.problem[data-made]')) old.remove();
  for (const field of all(form, '[aria-invalid]')) {
    field.removeAttribute('aria-invalid');
    field.removeAttribute('aria-describedby');
  }
}

/** Beside each field that is to blame; what is about none of them stands at the end. */
function tell(form: HTMLFormElement, error: unknown): void {
  const fields = fieldsOf(form);
  const problems = error instanceof AskError ? [...error.fields] : [];
  let isTold = false;
  for (const [name, expected] of problems) {
    const field = fields.find((each) => each.name === name.split('.')[0]);
    if (field === undefined) continue;
    const id = `${field.id || field.name}-problem`;
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', id);
    field.after(problemOf(id, `Expected: ${expected}.`));
    if (!isTold) field.focus();
    isTold = true;
  }
  if (isTold) return;
  form.append(problemOf('', error instanceof Error ? error.message : 'Something went wrong.'));
}

function problemOf(id: string, text: string): HTMLElement {
  return element('p', { class: 'problem', role: 'alert', 'data-made': '', text, ...(id === '' ? {} : { id }) });
}
