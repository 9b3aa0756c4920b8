/** The form at the foot of a chat: chooses what to send, and sends it by the API without leaving the page. */
import { ask, numberAt, textAt } from './ask.ts';
import { all, find } from './dom.ts';
import { clearProblems, showProblems } from './form-problems.ts';
import { jsonOf, multipartOf } from './form-values.ts';
import { renewPart } from './parts.ts';
import { agoOf } from './times.ts';
import { toast } from './toasts.ts';

/** By now the message has been accepted, and can be seen waiting. */
const acceptedMs = 400;

export function serveComposer(session: string): void {
  const form = find(document, 'form[data-composer]', HTMLFormElement);
  if (form === null) return;
  all(form, '[data-kinds]').forEach((kinds) => (kinds.hidden = false));
  const sendAt = find(form, '#send_at', HTMLInputElement);
  if (sendAt) {
    sendAt.type = 'datetime-local';
    sendAt.dataset['as'] = 'instant';
  }
  form.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('[data-kind-button]') : null;
    if (button instanceof HTMLElement) choose(form, button.dataset['kindButton'] ?? 'text');
  });
  form.addEventListener('keydown', (event) => {
    const isText = event.target instanceof HTMLTextAreaElement && event.target.name === 'text';
    if (!isText || event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(form, session);
  });
  serveReplies(form);
}

const kindOf = (form: HTMLFormElement): string =>
  all(form, 'fieldset[data-kind]:enabled')[0]?.dataset['kind'] ?? 'text';

function choose(form: HTMLFormElement, kind: string): void {
  for (const part of all(form, 'fieldset[data-kind]')) {
    const isOn = part.dataset['kind'] === kind;
    part.hidden = !isOn;
    if (part instanceof HTMLFieldSetElement) part.disabled = !isOn;
  }
  for (const button of all(form, '[data-kind-button]')) {
    button.setAttribute('aria-pressed', String(button.dataset['kindButton'] === kind));
  }
  for (const only of all(form, '[data-only]')) {
    only.hidden = only.dataset['only'] !== kind;
    for (const control of all(only, 'input')) control.toggleAttribute('disabled', only.hidden);
  }
  all(form, '[data-send-file]').forEach((button) => (button.hidden = kind === 'text'));
  clearProblems(form);
}

/** What was typed is taken out of the form at once, so that the next message can be written, and put back if it was refused. */
async function send(form: HTMLFormElement, session: string): Promise<void> {
  const kind = kindOf(form);
  const to = form.dataset['composer'] ?? '';
  const isFile = find(form, 'fieldset[data-kind]:enabled input[type="file"]', HTMLInputElement) !== null;
  const body = isFile ? withRecipient(form, to) : { ...jsonOf(form), to };
  clearProblems(form);
  const taken = takeOut(form);
  const waiting = waitsIn(form);
  const soon = setTimeout(renewThread, acceptedMs);
  try {
    tell(await ask(`/sessions/${encodeURIComponent(session)}/messages/${kind}`, { method: 'POST', body }));
  } catch (error) {
    if (kindOf(form) === kind) taken.putBack();
    showProblems(form, error);
  } finally {
    clearTimeout(soon);
    waiting.end();
    renewThread();
  }
}

function withRecipient(form: HTMLFormElement, to: string): FormData {
  const data = multipartOf(form);
  data.set('to', to);
  return data;
}

/** Empties what is being sent, and what belongs to it: the reply and the time. */
function takeOut(form: HTMLFormElement): { putBack(): void } {
  const inputs = all(form, 'fieldset:enabled input, [name="send_at"], [name="link_preview"], [name="reply_to"]')
    .filter((control) => control instanceof HTMLInputElement)
    .map((input) => ({ input, value: input.type === 'file' ? '' : input.value, files: input.files, isOn: input.checked }));
  const texts = all(form, 'fieldset:enabled textarea')
    .filter((control) => control instanceof HTMLTextAreaElement)
    .map((area) => ({ area, value: area.value }));
  const reply = find(form, '[data-replying-text]', HTMLElement)?.textContent ?? '';
  const replyTo = find(form, '[name="reply_to"]', HTMLInputElement)?.value ?? '';
  for (const { input } of inputs) {
    input.checked = false;
    if (input.type !== 'checkbox') input.value = '';
  }
  for (const { area } of texts) area.value = '';
  endReply(form);
  return {
    putBack: () => {
      if (texts.some(({ area }) => area.value !== '')) return;
      for (const { input, value, files, isOn } of inputs) {
        input.checked = isOn;
        if (input.type === 'file') input.files = files;
        else if (input.type !== 'checkbox') input.value = value;
      }
      for (const { area, value } of texts) area.value = value;
      setReply(form, replyTo, reply);
    },
  };
}

let underWay = 0;

/** Shows that something is under way until the last of it has ended. */
function waitsIn(form: HTMLFormElement): { end(): void } {
  const wait = find(form, '[data-wait]', HTMLElement);
  underWay += 1;
  if (wait) wait.hidden = false;
  return {
    end: () => {
      underWay -= 1;
      if (wait) wait.hidden = underWay === 0;
    },
  };
}

function renewThread(): void {
  for (const part of all(document, '[data-part="thread"], [data-part="chats"], [data-part="held"]')) void renewPart(part);
}

/** Says what is not to be seen from the message itself. */
function tell(answer: unknown): void {
  const at = (seconds: number): string => agoOf(seconds * 1000, Date.now());
  const sendAt = numberAt(answer, 'send_at');
  const heldUntil = numberAt(answer, 'held_until');
  if (textAt(answer, 'status') === 'scheduled' && sendAt !== null) toast('good', `Scheduled: it is sent ${at(sendAt)}.`);
  else if (heldUntil !== null) toast('good', `Accepted; it may go out ${at(heldUntil)}. ${textAt(answer, 'held_reason')}`);
}

function serveReplies(form: HTMLFormElement): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('[data-reply], [data-reply-end]') : null;
    if (!(link instanceof HTMLElement)) return;
    event.preventDefault();
    const { reply } = link.dataset;
    if (reply === undefined) endReply(form);
    else beginReply(form, reply, link.closest('.bubble')?.querySelector('.bubble-text')?.textContent ?? 'a message');
  });
}

function beginReply(form: HTMLFormElement, id: string, text: string): void {
  setReply(form, id, text);
  find(form, 'fieldset[data-kind]:enabled textarea, fieldset[data-kind]:enabled input', HTMLElement)?.focus();
}

const endReply = (form: HTMLFormElement): void => setReply(form, '', '');

function setReply(form: HTMLFormElement, id: string, text: string): void {
  const field = find(form, 'input[name="reply_to"]', HTMLInputElement);
  if (field) field.value = id;
  const words = find(form, '[data-replying-text]', HTMLElement);
  if (words) words.textContent = text.slice(0, 120);
  const place = find(form, '[data-replying]', HTMLElement);
  if (place) place.hidden = id === '';
}
