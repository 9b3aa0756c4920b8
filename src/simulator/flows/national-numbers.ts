/** Numbers that people write in more than one way; WhatsApp registers one of them. */

interface NationalHabit {
  /** The number as written, with the variable digits outside the groups. */
  readonly written: RegExp;
  readonly other: string;
}

const habits: readonly NationalHabit[] = [
  // Brazil: mobile numbers got a 9 after the area code; older accounts are registered without it.
  { written: /^55(\d\d)9(\d{8})$/, other: '55$1$2' },
  { written: /^55(\d\d)([6-9]\d{7})$/, other: '55$19$2' },
  // Mexico: a 1 for mobiles, dialled from abroad in earlier days.
  { written: /^521(\d{10})$/, other: '52$1' },
  { written: /^52([2-9]\d{9})$/, other: '521$1' },
  // Argentina: a 9 for mobiles, dialled from abroad.
  { written: /^549(\d{10})$/, other: '54$1' },
  { written: /^54([1-8]\d{9})$/, other: '549$1' },
];

/** The digits as given, and then the other ways to write the same number. */
export function waysToWrite(digits: string): readonly string[] {
  const others = habits.filter(({ written }) => written.test(digits));
  return [digits, ...others.map(({ written, other }) => digits.replace(written, other))];
}
