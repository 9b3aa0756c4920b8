/** What a run says: progress on stderr, a table on stdout. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export type Row = readonly (string | number)[];

export function printTable(head: Row, rows: readonly Row[]): void {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    process.stdout.write(`${cells.join('  ')}\n`);
  }
}
