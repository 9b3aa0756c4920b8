/** Asks before something cannot be undone, in a dialog of the page: keyboard and screen readers included. */
import { element } from './dom.ts';

/** Whether the answer was yes. With a word, that word has to be typed. */
export function confirmed(question: string, word?: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const yes = element('button', { class: 'button button-danger', value: 'yes', text: 'Yes, do it' });
  const no = element('button', { class: 'button', value: 'no', text: 'Cancel' });
  const typed = element('input', { id: 'confirm-word', autocomplete: 'off', spellcheck: 'false' });
  const field = element('div', { class: 'field' }, [
    element('label', { for: 'confirm-word', text: `Type “${word ?? ''}” to confirm` }),
    typed,
  ]);
  const form = element('form', { class: 'stack', method: 'dialog' }, [
    element('p', { id: 'confirm-question', text: question }),
    ...(word === undefined ? [] : [field]),
    element('div', { class: 'row row-end' }, [no, yes]),
  ]);
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': 'confirm-question' }, [form]);
  const check = (): void => void (yes.disabled = word !== undefined && typed.value !== word);
  typed.addEventListener('input', check);
  check();
  dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(dialog.returnValue === 'yes');
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
