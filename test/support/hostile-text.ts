/** Texts that have broken programs before: what attackers write, and what nobody thinks of. */

export const nul = '\u0000';
export const halfSurrogate = '\ud83d';

/** Well-formed, and storable. */
export const hostileTexts: readonly string[] = [
  "'; drop table sessions; --",
  "' or 1=1 --",
  '$1',
  '%s%n%x',
  '\\',
  '../../../../etc/passwd',
  '..\\..\\windows\\win.ini',
  '/etc/passwd',
  'file:///etc/passwd',
  'C:\\con',
  '<script>window.hacked = true</script>',
  '"><img src=x onerror="window.hacked=true">',
  "'-window.hacked=true-'",
  '</textarea></script><svg onload=window.hacked=true>',
  'javascript:window.hacked=true',
  '{{ 7 * 7 }}{% include "/etc/passwd" %}${7*7}<%= 7*7 %>#{7*7}',
  '{{range.constructor("return process")()}}',
  'a\r\nSet-Cookie: hacked=1\r\n\r\n<html>',
  'a\n\nevent: message\ndata: {"hacked":true}\n\n',
  '\u001b[2J\u001b]0;hacked\u0007\u001b[31m',
  '\u0007\u0008\u007f\u0085\u009b31m',
  '\u202egpj.exe\u202c\u2066x\u2069\u200b\u200d\ufeff',
  '\u2028\u2029',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘',
  '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  'ﷺ'.repeat(50),
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-1',
  '1e999',
  ' ',
  '\t',
  '\u00a0',
  'a'.repeat(255),
  'a'.repeat(4097),
];

/** What no text of a request may hold. */
export const unstorableTexts: readonly string[] = [nul, `a${nul}b`, halfSurrogate, `${halfSurrogate}x`, '\udc00'];

/** What a terminal would carry out, or what turns the order of a text around; line ends and tabs are not among them. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
export const commands = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
