/** Recipients of a bulk as people paste them: `number; name=value; other=value`, one on a line. Pure. */

export interface BulkRecipientInput {
  readonly to: string;
  readonly variables: Readonly<Record<string, string>>;
}

export interface BulkLines {
  readonly recipients: readonly BulkRecipientInput[];
  /** The line, from 1, that each recipient stands on. */
  readonly lines: readonly number[];
  /** What is wrong with a line; null when all can be read. */
  readonly problem: string | null;
}

/** Empty lines are passed over. Whether numbers are numbers is not asked here. */
export function readBulkLines(text: string): BulkLines {
  const recipients: BulkRecipientInput[] = [];
  const lines: number[] = [];
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() === '') continue;
    const [to = '', ...fields] = line.split(/[;\t]/).map((field) => field.trim());
    const variables: Record<string, string> = {};
    for (const field of fields) {
      if (field === '') continue;
      const [, name, value] = /^(\w{1,64})\s*=\s*(.*)$/s.exec(field) ?? [];
      if (name === undefined || value === undefined) {
        return { recipients, lines, problem: `Line ${index + 1}: expected name=value, found “${field.slice(0, 40)}”.` };
      }
      variables[name] = value;
    }
    recipients.push({ to, variables });
    lines.push(index + 1);
  }
  return { recipients, lines, problem: recipients.length === 0 ? 'Expected: at least one number.' : null };
}
