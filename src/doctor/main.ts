/** `npm run doctor`: says what is wrong with this machine and these settings, and what to do about it. */
import { fileURLToPath } from 'node:url';
import { ConfigError, loadConfig } from '../config.ts';
import { setLogLevel } from '../log.ts';
import { diagnose, diagnoseConfiguration, isWell, renderJson, renderText } from './diagnose.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';

async function findings(): Promise<readonly Finding[]> {
  try {
    return diagnose(await examine(loadConfig(), fileURLToPath(new URL('../../../.env', import.meta.url))));
  } catch (error) {
    if (error instanceof ConfigError) return diagnoseConfiguration(error.problems);
    throw error;
  }
}

setLogLevel('warn');
const found = await findings();
const isForPrograms = process.argv.includes('--json');
process.stdout.write(isForPrograms ? renderJson(found) : renderText(found));
process.exitCode = isWell(found) ? 0 : 1;
