/** Whether something is being pressed: an element that is replaced between press and release is never clicked. */

let pressed: PromiseWithResolvers<void> | null = null;

/** Settles when nothing is pressed, after its click has been told. */
export function released(): Promise<void> {
  return pressed?.promise ?? Promise.resolve();
}

document.addEventListener('pointerdown', () => (pressed ??= Promise.withResolvers()), true);
for (const end of ['pointerup', 'pointercancel'] as const) {
  document.addEventListener(
    end,
    () => {
      const ended = pressed;
      pressed = null;
      if (ended) setTimeout(ended.resolve, 0);
    },
    true,
  );
}
