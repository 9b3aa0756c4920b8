/** An open chat of the simulated phone: whoever holds it writes, changes, acknowledges, types and calls. */
import { ask, numberAt, textAt } from './ask.ts';
import { all, find } from './dom.ts';
import { fileForMessage } from './file-for-message.ts';
import { onEvent } from './live.ts';
import { onPart, renewPart } from './parts.ts';
import { toast } from './toasts.ts';

interface ChatPlace {
  /** Path of the session's sandbox. */
  readonly sandbox: string;
  readonly composer: HTMLFormElement;
  readonly text: HTMLInputElement;
  readonly bubbles: HTMLElement;
}

/** What the next message is about. */
type About = { readonly tag: 'reply' | 'edit'; readonly id: string };

/** Where somebody is told to be when they tap “Location”. */
const meetingPoint = { latitude: 52.5163, longitude: 13.3777, name: 'Meeting point' };
const nearEndPx = 60;

export function serveChat(place: ChatPlace): void {
  const { sandbox, composer, text, bubbles } = place;
  const { reader = '', group = '' } = composer.dataset;
  const inGroup = group === '' ? {} : { group };
  let about: About | null = null;
  let call = '';

  const write = (message: Readonly<Record<string, unknown>>): Promise<unknown> =>
    ask(`${sandbox}/messages`, { method: 'POST', body: { from: reader, ...inGroup, ...message } });

  /** Does one thing after the other, and shows what came of it. */
  let last: Promise<void> = Promise.resolve();
  const doing = (work: () => Promise<unknown>): void => {
    last = last.then(async () => {
      tellProblem('');
      composer.setAttribute('aria-busy', 'true');
      try {
        await work();
        await renewPart(bubbles);
      } catch (error) {
        tellProblem(error instanceof Error ? error.message : 'Something went wrong.');
      }
      composer.removeAttribute('aria-busy');
    });
  };

  const tellProblem = (words: string): void => {
    const problem = find(composer, '[data-problem]', HTMLElement);
    if (problem === null) return;
    problem.textContent = words;
    problem.hidden = words === '';
  };

  const setAbout = (wanted: About | null, words = ''): void => {
    about = wanted;
    const bar = find(composer, '[data-about]', HTMLElement);
    const words_ = find(composer, '[data-about-words]', HTMLElement);
    if (bar === null || words_ === null) return;
    bar.hidden = wanted === null;
    words_.textContent = wanted === null ? '' : `${wanted.tag === 'reply' ? 'Reply to' : 'Edit'} “${words}”`;
    if (wanted !== null) text.focus();
  };

  composer.addEventListener('submit', (event) => {
    event.preventDefault();
    const said = text.value;
    if (said.trim() === '') return;
    const wanted = about;
    const relation = wanted === null ? {} : wanted.tag === 'reply' ? { quoted_id: wanted.id } : { edit_of: wanted.id };
    text.value = '';
    setAbout(null);
    doing(async () => {
      try {
        await write({ text: said, ...relation });
      } catch (error) {
        // What could not be said is not lost, unless the next words have been begun.
        if (text.value === '') text.value = said;
        throw error;
      }
    });
  });

  const showCall = (words: string): void => {
    const bar = find(document, '[data-call-bar]', HTMLElement);
    const words_ = find(document, '[data-call-words]', HTMLElement);
    if (bar) bar.hidden = words === '';
    if (words_) words_.textContent = words;
  };

  const deeds: Readonly<Record<string, (button: HTMLElement) => Promise<unknown>>> = {
    delete: ({ dataset }) => write({ delete_of: dataset['id'] }),
    react: ({ dataset }) => write({ react_to: dataset['id'], emoji: dataset['emoji'] ?? '' }),
    receipt: ({ dataset }) =>
      ask(`${sandbox}/receipts`, {
        method: 'POST',
        body: { message_id: dataset['id'], type: dataset['type'], contact: reader },
      }),
    location: () => write({ type: 'location', ...meetingPoint }),
    typing: async ({ dataset }) => {
      const body = { contact: reader, ...inGroup, state: dataset['state'] };
      tellTold(await ask(`${sandbox}/typing`, { method: 'POST', body }));
    },
    presence: async ({ dataset }) => {
      const body = { contact: reader, status: dataset['state'] };
      tellTold(await ask(`${sandbox}/presence`, { method: 'POST', body }));
    },
    call: async ({ dataset }) => {
      const body = { from: reader, ...inGroup, video: dataset['video'] === 'yes' };
      call = textAt(await ask(`${sandbox}/calls`, { method: 'POST', body }), 'call_id');
      showCall('It rings at the session…');
    },
    'call-on': async ({ dataset }) => {
      await ask(`${sandbox}/calls/${encodeURIComponent(call)}`, { method: 'POST', body: { action: dataset['action'] } });
      showCall('');
    },
  };

  /** What concerns the composer alone happens at once. */
  const preparations: Readonly<Record<string, (button: HTMLElement) => void>> = {
    reply: ({ dataset }) => setAbout({ tag: 'reply', id: dataset['id'] ?? '' }, dataset['summary']),
    edit: ({ dataset }) => {
      setAbout({ tag: 'edit', id: dataset['id'] ?? '' }, dataset['summary']);
      text.value = dataset['text'] ?? '';
    },
    cancel: () => setAbout(null),
    pick: ({ dataset }) => find(composer, `[data-file="${dataset['kind'] ?? ''}"]`, HTMLInputElement)?.click(),
  };

  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('[data-do]') : null;
    if (!(button instanceof HTMLElement)) return;
    const name = button.dataset['do'] ?? '';
    button.closest('details.menu')?.removeAttribute('open');
    preparations[name]?.(button);
    const deed = deeds[name];
    if (deed !== undefined) doing(() => deed(button));
  });

  for (const input of all(composer, '[data-file]')) {
    input.addEventListener('change', () => {
      if (!(input instanceof HTMLInputElement)) return;
      const file = input.files?.[0];
      input.value = '';
      if (file !== undefined) doing(() => sendFile(file, input.dataset['file'] === 'image' ? 'image' : 'document'));
    });
  }

  async function sendFile(file: File, type: 'image' | 'document'): Promise<void> {
    toast('good', `Sending ${file.name}…`);
    const { base64, mimetype, name, thumbnail } = await fileForMessage(file);
    const caption = text.value.trim();
    await write({
      type,
      file: { base64 },
      mimetype,
      ...(type === 'document' ? { file_name: name } : {}),
      ...(thumbnail === null || type === 'document' ? {} : { thumbnail }),
      ...(caption === '' ? {} : { caption }),
    });
    text.value = '';
  }

  onEvent(({ name, data }) => {
    if (name !== 'call' || call === '' || textAt(data, 'call_id') !== call) return;
    const status = textAt(data, 'status');
    if (status === 'reject') showCall('');
    if (status === 'reject') toast('good', 'The session has rejected the call.');
  });

  keepAtEnd(bubbles);
  find(document, '#as', HTMLSelectElement)?.addEventListener('change', ({ target }) => {
    if (target instanceof HTMLSelectElement) target.form?.submit();
  });
}

/** WhatsApp tells of typing and presence only to sessions that are online, and of presence only those that asked for it. */
function tellTold(answer: unknown): void {
  const isTold = (numberAt(answer, 'sessions') ?? 0) > 0;
  toast('good', isTold ? 'The session has been told.' : 'Done; the session hears of it only while it shows itself online.');
}

/** The latest message stays in sight, unless somebody has scrolled back. */
function keepAtEnd(bubbles: HTMLElement): void {
  let isAtEnd = true;
  const follow = (): void => {
    if (isAtEnd) bubbles.scrollTop = bubbles.scrollHeight;
  };
  bubbles.addEventListener('scroll', () => {
    isAtEnd = bubbles.scrollHeight - bubbles.scrollTop - bubbles.clientHeight < nearEndPx;
  });
  onPart((part) => {
    if (part === bubbles) follow();
  });
  follow();
}
