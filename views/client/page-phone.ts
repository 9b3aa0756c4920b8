/** The simulated phone: its forms, the chat that is open, the numbers that a fault takes, and the events that follow. */
import { textAt } from './ask.ts';
import { serveForms } from './api-form.ts';
import { all, find } from './dom.ts';
import { keepEventLog } from './event-log.ts';
import { keepMenus } from './menus.ts';
import { onPart } from './parts.ts';
import { serveChat } from './phone-chat.ts';

const { session = '', live = '' } = document.body.dataset;
const silent = new Set(['qr_code', 'pair_code']);

serveForms({ chat: (answer) => location.assign(`?chat=${encodeURIComponent(textAt(answer, 'jid'))}`) });
keepMenus();

const log = find(document, '[data-event-log]', HTMLElement);
if (log) keepEventLog(log, new Set(live.split(' ').filter((name) => !silent.has(name))));

// A phone that was linked or unlinked meanwhile shows other screens.
const device = find(document, '.device', HTMLElement);
onPart((part) => {
  const now = find(part, '[data-linked-now]', HTMLElement)?.dataset['linkedNow'];
  if (now !== undefined && now !== device?.dataset['linked']) location.reload();
});

const composer = find(document, '[data-composer]', HTMLFormElement);
const text = find(document, '#write', HTMLInputElement);
const bubbles = find(document, '[data-part="bubbles"]', HTMLElement);
if (composer && text && bubbles) {
  serveChat({ sandbox: `/sessions/${encodeURIComponent(session)}/sandbox`, composer, text, bubbles });
}

const faultForm = find(document, '[data-fault-form]', HTMLFormElement);
if (faultForm) {
  const show = (): void => {
    const chosen = find(faultForm, 'select', HTMLSelectElement)?.selectedOptions[0];
    const wanted = (chosen?.dataset['parameters'] ?? '').split(' ');
    for (const field of all(faultForm, '[data-parameter]')) {
      field.hidden = !wanted.includes(field.dataset['parameter'] ?? '');
    }
    const words = find(faultForm, '[data-explains-words]', HTMLElement);
    if (words) words.textContent = chosen?.dataset['explains'] ?? '';
  };
  faultForm.addEventListener('change', show);
  show();
}

// Before that a form would be sent as plain forms are.
for (const each of all(document, '[data-ready]')) each.removeAttribute('disabled');
