/** The files that pages load, by the names under which they ask for them. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { viewsFolder } from './views-folder.ts';

const require = createRequire(import.meta.url);
const builtScripts = fileURLToPath(new URL('../../../client/', import.meta.url));
const chartLibrary = dirname(require.resolve('uplot/dist/uPlot.min.css'));

export const dashboardAssets: Readonly<Record<string, string>> = filesOf(join(viewsFolder, 'assets'), ['.css', '.svg']);

/** The client's modules, as tsc has emitted them, and the library that draws charts. */
export const dashboardScripts: Readonly<Record<string, string>> = {
  ...filesOf(builtScripts, ['.js']),
  'uplot.js': join(chartLibrary, 'uPlot.esm.js'),
  'uplot.css': join(chartLibrary, 'uPlot.min.css'),
};

function filesOf(folder: string, extensions: readonly string[]): Readonly<Record<string, string>> {
  const names = readdirSync(folder).filter((name) => extensions.includes(extname(name)));
  return Object.fromEntries(names.map((name) => [name, join(folder, name)]));
}
