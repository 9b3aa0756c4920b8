/**
 * Loaded before anything else (--import), it sets the wall clock of a process apart from the machine's, as NTP or an
 * administrator may at any time: by as many milliseconds as stand in the file that its own URL names after `?`.
 */
import { readFileSync } from 'node:fs';

const file = decodeURIComponent(new URL(import.meta.url).search.slice(1));
const MachineDate = globalThis.Date;
let offsetMs = 0;

function look(): void {
  try {
    offsetMs = Number(readFileSync(file, 'utf8'));
  } catch {
    // Not there yet, or being written.
  }
}

/** `new Date()` is now, as it is set; dates of something else are what they are. */
class SetDate extends MachineDate {
  constructor(value: number | string | Date = SetDate.now()) {
    super(value);
  }

  static override now(): number {
    return MachineDate.now() + offsetMs;
  }
}

look();
setInterval(look, 20).unref();
Object.assign(globalThis, { Date: SetDate });
