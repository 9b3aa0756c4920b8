/** The verifiers that docs/webhooks.md hands out, taken out of the document as a user would. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './source-files.ts';

export interface VerifierCase {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The raw body. */
  readonly body: Buffer;
}

/** Answers null when the case is accepted, else what was said against it. */
export type RunVerifier = (given: VerifierCase) => Promise<string | null>;

/** The code block that follows the marker of a language. */
export function verifierCode(language: 'node' | 'python' | 'php' | 'go'): string {
  const text = readFileSync(join(root, 'docs/webhooks.md'), 'utf8');
  const code = new RegExp(`<!-- verifier:${language} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\\n\`\`\``).exec(text)?.[1];
  if (code === undefined) throw new Error(`docs/webhooks.md has no verifier for ${language}`);
  return `${code}\n`;
}

export const runNode: RunVerifier = (given) =>
  run(process.execPath, ['--input-type=module', '--eval', `${verifierCode('node')}${nodeHarness}`], given);

export const runPython: RunVerifier = (given) =>
  run('python3', ['-c', `${verifierCode('python')}${pythonHarness}`], given);

const nodeHarness = `
import { readFileSync } from 'node:fs';
const given = JSON.parse(readFileSync(0, 'utf8'));
try {
  verifyWebhook(given.secret, given.headers, Buffer.from(given.body, 'base64'));
  console.log(JSON.stringify(null));
} catch (error) {
  console.log(JSON.stringify(error.message));
}
`;

const pythonHarness = `
import json
import sys

given = json.load(sys.stdin)
try:
    verify_webhook(given["secret"], given["headers"], base64.b64decode(given["body"]))
    print(json.dumps(None))
except ValueError as error:
    print(json.dumps(str(error)))
`;

function run(command: string, args: readonly string[], given: VerifierCase): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, (error, stdout, stderr) => {
      if (error === null) {
        const said: unknown = JSON.parse(stdout);
        resolve(typeof said === 'string' ? said : null);
        return;
      }
      const isAbsent = 'code' in error && error.code === 'ENOENT';
      const message = isAbsent
        ? `${command} is not on this machine: install it to check its verifier in docs/webhooks.md`
        : `the verifier cannot be run: ${stderr}`;
      reject(new Error(message, { cause: error }));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(JSON.stringify({ ...given, body: given.body.toString('base64') }));
  });
}
