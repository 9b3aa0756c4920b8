// Loaded before every test file: ends one that takes too long, or whose tests are over while it still holds a child, a
// socket, a pool or a timer. The runner's own time limit ends tests, not files.
import { after } from 'node:test';

const fileTimeoutMs = 300_000;
/** A soak takes as long as it is asked to; its tests have limits of their own. */
const soakTimeoutMs = 26 * 3_600_000;
/** From the end of the last test; the file's own `after` hooks run within it. */
const graceMs = 20_000;

// Processes that a test forks inherit the flag that loads this.
const file = process.argv[1] ?? '';
if (file.endsWith('.test.js')) {
  endAfter(/[\\/]soak[\\/]/.test(file) ? soakTimeoutMs : fileTimeoutMs, 'did not end');
  after(() => endAfter(graceMs, 'left something open after its last test'));
}

function endAfter(delayMs, fault) {
  const timer = setTimeout(() => {
    console.error(`${process.argv[1]} ${fault}: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  }, delayMs);
  timer.unref();
}
