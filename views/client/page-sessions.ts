/** Ticking several sessions: the bar tells how many, and deleting asks first. Runs again when the list was renewed. */
import { confirmForms } from './confirm-forms.ts';
import { all, find } from './dom.ts';
import { keepMenus } from './menus.ts';
import { onPart } from './parts.ts';

const ticked = new Set<string>();

function boxes(): readonly HTMLInputElement[] {
  return all(document, 'input[name="session"]').filter((each) => each instanceof HTMLInputElement);
}

function tell(): void {
  const count = boxes().filter(({ checked }) => checked).length;
  const words = find(document, '[data-bulk-count]', HTMLElement);
  if (words) words.textContent = count === 0 ? 'Tick sessions to act on several.' : `${count} ticked`;
  for (const button of all(document, '[data-bulk-bar] button')) {
    if (button instanceof HTMLButtonElement) button.disabled = count === 0;
  }
}

function restore(): void {
  for (const box of boxes()) box.checked = ticked.has(box.value);
  tell();
}

document.addEventListener('change', ({ target }) => {
  if (!(target instanceof HTMLInputElement)) return;
  if (target.dataset['bulkAll'] !== undefined) for (const box of boxes()) box.checked = target.checked;
  else if (target.name !== 'session') return;
  for (const box of boxes()) {
    if (box.checked) ticked.add(box.value);
    else ticked.delete(box.value);
  }
  tell();
});

confirmForms('bulkConfirm');

keepMenus();
onPart(restore);
restore();
