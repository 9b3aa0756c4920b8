/** Menus that are open close when something else is clicked, or when Escape is pressed. */
import { all } from './dom.ts';

export function keepMenus(): void {
  document.addEventListener('click', ({ target }) => {
    for (const menu of all(document, 'details.menu[open]')) {
      if (target instanceof Node && !menu.contains(target)) menu.removeAttribute('open');
    }
  });
  document.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    for (const menu of all(document, 'details.menu[open]')) {
      menu.removeAttribute('open');
      menu.querySelector('summary')?.focus();
    }
  });
}
