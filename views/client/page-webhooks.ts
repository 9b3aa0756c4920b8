/** The page of a session's webhooks: what is deleted asks first, what takes long says so, and signatures are compared. */
import { confirmForms } from './confirm-forms.ts';
import { find } from './dom.ts';
import { matchOf, signaturesOf, type SignedParts } from './signature.ts';

confirmForms('formConfirm');

document.addEventListener('submit', (event) => {
  const { submitter } = event;
  if (event.defaultPrevented || !(submitter instanceof HTMLButtonElement)) return;
  submitter.setAttribute('aria-busy', 'true');
  const { busy } = submitter.dataset;
  if (busy !== undefined) submitter.textContent = busy;
});

const field = (name: string): HTMLInputElement | HTMLTextAreaElement | null =>
  find(document, `#play-${name}`, HTMLInputElement) ?? find(document, `#play-${name}`, HTMLTextAreaElement);
const typed = (name: string): string => field(name)?.value ?? '';

function show(name: string, text: string): void {
  const place = find(document, `#play-${name}`, HTMLElement);
  if (place) place.textContent = text;
}

function say(verdict: 'good' | 'bad' | 'none', text: string): void {
  find(document, '#play-verdict', HTMLElement)?.setAttribute('data-verdict', verdict);
  show('verdict', text);
}

let rounds = 0;

async function sign(): Promise<void> {
  rounds += 1;
  const round = rounds;
  const parts: SignedParts = {
    secret: typed('secret').trim(),
    id: typed('id').trim(),
    timestamp: typed('timestamp').trim(),
    body: typed('body'),
  };
  const given = typed('given').trim();
  if (parts.secret === '') {
    show('plain', '–');
    show('standard', '–');
    say('none', 'Paste the secret of the webhook.');
    return;
  }
  if (!isSecureContext) {
    say('bad', 'Browsers sign only on pages that came by https or from this machine.');
    return;
  }
  const signatures = await signaturesOf(parts);
  const trimmed = given === '' ? null : await signaturesOf({ ...parts, body: parts.body.trim() });
  // Somebody has typed on meanwhile.
  if (round !== rounds) return;
  show('plain', signatures.plain);
  show('standard', parts.id === '' || parts.timestamp === '' ? 'needs webhook-id and webhook-timestamp' : signatures.standard);
  if (given === '') say('none', 'Paste a signature to compare it.');
  else {
    const match = matchOf(given, signatures);
    if (match !== null) say('good', `It matches: this is the ${match} of this body.`);
    else if (trimmed !== null && matchOf(given, trimmed) !== null) {
      say('bad', 'It matches without the spaces and line breaks around the body: the raw body has none.');
    } else say('bad', 'It does not match: the secret, the body or a header is another one.');
  }
}

document.addEventListener('input', ({ target }) => {
  if (target instanceof HTMLElement && target.id.startsWith('play-')) void sign();
});

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-play-body]') : null;
  if (!(button instanceof HTMLElement)) return;
  for (const [name, value] of [
    ['id', button.dataset['playId']],
    ['body', button.dataset['playBody']],
  ] as const) {
    const place = field(name);
    if (place && value !== undefined) place.value = value;
  }
  field('secret')?.focus();
  void sign();
});
