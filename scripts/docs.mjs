// Writes what is generated from the configuration table: .env.example and the README's table. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderDotEnvExample, renderReadme } from '../dist/src/config-documentation.js';

const path = (name) => new URL(`../${name}`, import.meta.url);
writeFileSync(path('.env.example'), renderDotEnvExample());
writeFileSync(path('README.md'), renderReadme(readFileSync(path('README.md'), 'utf8')));
