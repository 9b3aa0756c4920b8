/**
 * Forms that ask the API: `data-ask-form="POST /sessions/x/groups"`, with `data-done` for what is said then, and
 * `data-renews` with the names of the parts that have changed. What is wrong stands beside the fields.
 */
import { ask } from './ask.ts';
import { all } from './dom.ts';
import { clearProblems, showProblems } from './form-problems.ts';
import { jsonOf } from './form-values.ts';
import { renewPart } from './parts.ts';
import { toast } from './toasts.ts';

/** Calls back with each answer that a form has got. */
export function serveAskForms(onAnswer: (form: HTMLFormElement, answer: unknown) => void): void {
  document.addEventListener('submit', (event) => {
    const { target: form } = event;
    if (!(form instanceof HTMLFormElement) || form.dataset['askForm'] === undefined) return;
    event.preventDefault();
    void submit(form).then((answer) => {
      if (answer !== null) onAnswer(form, answer);
    });
  });
}

/** Null when it was refused, which is shown. */
async function submit(form: HTMLFormElement): Promise<unknown> {
  const { askForm = '', done, renews } = form.dataset;
  const [, path = ''] = askForm.split(' ', 2);
  const buttons = all(form, 'button[type="submit"]');
  clearProblems(form);
  buttons.forEach((button) => button.setAttribute('aria-busy', 'true'));
  try {
    const answer = await ask(path, { method: 'POST', body: jsonOf(form) });
    if (done !== undefined) toast('good', done);
    // A part in which somebody types is left alone, and this one has just been sent.
    if (document.activeElement instanceof HTMLElement && form.contains(document.activeElement)) document.activeElement.blur();
    for (const name of (renews ?? '').split(' ').filter((each) => each !== '')) renewNamed(name);
    return answer ?? {};
  } catch (error) {
    showProblems(form, error);
    return null;
  } finally {
    buttons.forEach((button) => button.removeAttribute('aria-busy'));
  }
}

export function renewNamed(name: string): void {
  for (const part of all(document, `[data-part="${CSS.escape(name)}"]`)) void renewPart(part);
}
