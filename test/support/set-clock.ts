/**
 * Loaded before anything else (--import), it sets the wall clock of a process apart from the machine's, as NTP or an
 * administrator may at any time: by as many milliseconds as stand in the file that its own URL names after `?`.
 */
import { readFileSync } from 'node:fs';

const file = decodeURIComponent(new URL(import.meta.url).search.slice(1));
const MachineDate = globalThis.Date;
const machineNow = MachineDate.now.bind(MachineDate);
let offsetMs = 0;

function look(): void {
  try {
    offsetMs = Number(readFileSync(file, 'utf8'));
  } catch {
    // Not there yet, or being written.
  }
}

const now = (): number => machineNow() + offsetMs;
look();
setInterval(look, 20).unref();
globalThis.Date = new Proxy(MachineDate, {
  construct: (target, args) => (args.length === 0 ? new target(now()) : Reflect.construct(target, args)),
  get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
});
