/** One stream of events for the whole page; it comes back by itself when the connection is lost. */
import { at, textAt } from './ask.ts';

export interface LiveEvent {
  readonly name: string;
  readonly session: string;
  readonly data: unknown;
}

type Listener = (event: LiveEvent) => void;

const listeners = new Set<Listener>();
const opened = new Set<() => void>();
const stateWords = { on: 'live', waiting: 'connecting…', off: 'static' } as const;
const retryMs = 5000;

/** Calls back for every event; the answer ends it. */
export function onEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Calls back when the stream is open: what happened between the page's rendering and now was told to nobody. */
export function onLive(listener: () => void): void {
  opened.add(listener);
}

/** Opens the stream: of one session where the page is about one, else of all. */
export function goLive(names: readonly string[], session: string | null): void {
  const query = names.map((name) => `event=${encodeURIComponent(name)}`).join('&');
  const path = session === null ? '/api/v1/events' : `/api/v1/sessions/${encodeURIComponent(session)}/events`;
  const open = (): void => {
    show('waiting');
    const source = new EventSource(`${path}?${query}`);
    source.addEventListener('open', () => {
      show('on');
      for (const listener of opened) listener();
    });
    source.addEventListener('error', () => {
      show('waiting');
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused rather than lost: the browser does not try again by itself.
      source.close();
      setTimeout(open, retryMs);
    });
    for (const name of names) source.addEventListener(name, tell);
  };
  open();
}

function tell(message: Event): void {
  if (!(message instanceof MessageEvent) || typeof message.data !== 'string') return;
  const body: unknown = JSON.parse(message.data);
  const event = { name: textAt(body, 'event'), session: textAt(body, 'session_id'), data: at(body, 'data') };
  for (const listener of listeners) listener(event);
}

function show(state: keyof typeof stateWords): void {
  const place = document.querySelector('[data-live-state]');
  place?.setAttribute('data-live-state', state);
  const words = place?.querySelector('.live-text');
  if (words) words.textContent = stateWords[state];
}
