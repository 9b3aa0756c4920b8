/** Short notices at the edge of the page; screen readers hear them. */
import { element } from './dom.ts';

const shownMs = 6000;

export function toast(kind: 'good' | 'bad', text: string): void {
  const room = document.getElementById('toasts');
  if (room === null) return;
  const close = element('button', { class: 'toast-close', type: 'button', 'aria-label': 'Dismiss', text: '×' });
  const notice = element('div', { class: `toast toast-${kind}`, role: kind === 'bad' ? 'alert' : 'status' }, [
    element('span', { text }),
    close,
  ]);
  close.addEventListener('click', () => notice.remove());
  room.append(notice);
  // What went wrong stays until somebody has read it.
  if (kind === 'good') setTimeout(() => notice.remove(), shownMs);
}

export function toastFailure(error: unknown): void {
  toast('bad', error instanceof Error ? error.message : 'Something went wrong.');
}
