/** Counts down to unix seconds in `data-countdown`, wherever such an element stands. */
import { all } from './dom.ts';

export function keepCountdowns(): void {
  const tick = (): void => {
    for (const place of all(document, '[data-countdown]')) {
      const left = Math.max(0, Math.round(Number(place.dataset['countdown']) - Date.now() / 1000));
      place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    }
  };
  tick();
  setInterval(tick, 1000);
}
