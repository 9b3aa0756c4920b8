/** Forms whose button asks first: the question stands in a data attribute of the button. */
import { confirmed } from './confirm.ts';

/** `key` is the attribute as `dataset` has it. */
export function confirmForms(key: string): void {
  document.addEventListener('submit', (event) => {
    const { submitter, target: form } = event;
    if (!(form instanceof HTMLFormElement) || !(submitter instanceof HTMLButtonElement)) return;
    const question = submitter.dataset[key];
    if (question === undefined || submitter.dataset['agreed'] === 'yes') return;
    event.preventDefault();
    void confirmed(question).then((isYes) => {
      if (!isYes) return;
      submitter.dataset['agreed'] = 'yes';
      // What was agreed to can have been rendered again meanwhile: only a form of the page can be sent.
      if (!form.isConnected) document.body.append(form);
      form.requestSubmit(submitter);
    });
  });
}
