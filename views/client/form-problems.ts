/** Shows what the API found wrong with a form beside the fields: `data-problem` with the name of each, "" for the whole. */
import { AskError } from './ask.ts';
import { all } from './dom.ts';

export function clearProblems(form: HTMLFormElement): void {
  for (const place of all(form, '[data-problem]')) {
    place.textContent = '';
    place.hidden = true;
  }
  for (const control of all(form, '[aria-invalid]')) control.removeAttribute('aria-invalid');
}

export function showProblems(form: HTMLFormElement, error: unknown): void {
  const fields = error instanceof AskError ? error.fields : new Map<string, string>();
  let isShown = false;
  for (const [field, expected] of fields) {
    // `contact.phones[0].number` is the control `contact.phones.0.number`; of a list any part is the whole.
    const path = field.replaceAll(/\[(\d+)\]/g, '.$1');
    const place = placeOf(form, path) ?? placeOf(form, path.replace(/\.\d+$/, ''));
    if (place === null) continue;
    place.textContent = `Expected: ${expected}.`;
    place.hidden = false;
    isShown = true;
    const control = document.querySelector(`[aria-describedby="${CSS.escape(place.id)}"]`);
    control?.setAttribute('aria-invalid', 'true');
  }
  const whole = placeOf(form, '');
  if (isShown || whole === null) return;
  whole.textContent = error instanceof Error ? error.message : 'Something went wrong.';
  whole.hidden = false;
}

/** The place for a field that can be seen: of fields in parts that are hidden others may bear the same name. */
function placeOf(form: HTMLFormElement, name: string): HTMLElement | null {
  return all(form, `[data-problem="${CSS.escape(name)}"]`).find((place) => place.closest('fieldset[disabled]') === null) ?? null;
}
