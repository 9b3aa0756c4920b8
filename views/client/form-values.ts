/**
 * What is typed into a form, as the API takes it. A control's name is a path (`contact.phones.0.number`), `data-as` says
 * what its text stands for: number, boolean, lines, person-lines or instant. Empty controls are left out.
 */

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const isControl = (element: Element): element is Control =>
  element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement;

/** Those that count: named, enabled, filled in, and no form token. */
function controlsOf(form: HTMLFormElement): readonly Control[] {
  return [...form.elements]
    .filter(isControl)
    .filter((control) => control.name !== '' && control.name !== 'csrf' && !control.matches(':disabled'));
}

export function jsonOf(form: HTMLFormElement): Readonly<Record<string, unknown>> {
  const json: Record<string, unknown> = {};
  for (const control of controlsOf(form)) {
    const value = valueOf(control);
    if (value !== undefined) put(json, control.name.split('.'), value);
  }
  return json;
}

/** The same for a form with a file: the API reads what the texts stand for. */
export function multipartOf(form: HTMLFormElement): FormData {
  const data = new FormData();
  for (const control of controlsOf(form)) {
    if (control instanceof HTMLInputElement && control.type === 'file') {
      for (const file of control.files ?? []) data.append(control.name, file);
      continue;
    }
    const value = valueOf(control);
    if (value !== undefined) data.append(control.name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return data;
}

function valueOf(control: Control): unknown {
  if (control instanceof HTMLInputElement && control.type === 'checkbox') return control.checked ? true : undefined;
  const text = control.value;
  if (text.trim() === '' && control.dataset['keepEmpty'] === undefined) return undefined;
  switch (control.dataset['as']) {
    case 'number':
      return Number.isNaN(Number(text.replace(',', '.'))) ? text : Number(text.replace(',', '.'));
    case 'boolean':
      return text === 'true';
    case 'lines':
      return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    case 'instant': {
      // The control holds a time of this place; the API wants an instant.
      const at = new Date(text);
      return Number.isNaN(at.getTime()) ? text : at.toISOString();
    }
    default:
      return text;
  }
}

/** Keys that are numbers make a list. */
function put(target: object, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  const [next] = rest;
  if (next === undefined) {
    Reflect.set(target, key, value);
    return;
  }
  const known: unknown = Reflect.get(target, key);
  const inner = typeof known === 'object' && known !== null ? known : /^\d+$/.test(next) ? [] : {};
  Reflect.set(target, key, inner);
  put(inner, rest, value);
}
