/** Groups and contacts: loads what WhatsApp has to be asked for, and tells who could not be added to a group. */
import { listAt, textAt } from './ask.ts';
import { renewNamed, serveAskForms } from './ask-forms.ts';
import { all } from './dom.ts';
import { serveLazyParts } from './lazy-parts.ts';
import { onEvent } from './live.ts';
import { onPart } from './parts.ts';
import { toast } from './toasts.ts';

const codeWords = new Map([
  ['403', 'only lets contacts add them; send them the invite link'],
  ['404', 'is not on WhatsApp'],
  ['408', 'left the group lately'],
  ['409', 'is in the group already'],
]);

serveLazyParts();
serveAskForms((form, answer) => {
  const { createdGroup, participants } = form.dataset;
  if (createdGroup !== undefined) {
    const problem = refusals(listAt(answer, 'not_added'));
    const query = problem === '' ? '' : `&problem=${encodeURIComponent(problem)}`;
    location.assign(`${createdGroup}${encodeURIComponent(textAt(answer, 'jid'))}${query}`);
  } else if (participants !== undefined) {
    const problem = refusals(listAt(answer, 'results').filter((result) => textAt(result, 'code') !== '200'));
    toast(problem === '' ? 'good' : 'bad', problem === '' ? 'Added.' : problem);
  }
});

onPart((part) => (part.querySelector('[data-reload]') === null ? undefined : location.reload()));
onEvent(({ name, data }) => {
  if (name !== 'group_update' && name !== 'group_participants') return;
  renewNamed('groups');
  const open = all(document, '[data-on-group]')[0]?.dataset['onGroup'];
  if (open === textAt(data, 'group')) renewNamed('group');
});

// A menu that is open closes when one of its actions, or something else, is clicked.
document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element)) return;
  for (const menu of all(document, 'details.menu[open]')) {
    if (!menu.contains(target) || target.closest('[data-ask]') !== null) menu.removeAttribute('open');
  }
});

function refusals(results: readonly unknown[]): string {
  return results
    .map((result) => {
      const code = textAt(result, 'code');
      return `${textAt(result, 'jid').split('@')[0] ?? ''} ${codeWords.get(code) ?? `was refused with the code ${code}`}.`;
    })
    .join(' ');
}
