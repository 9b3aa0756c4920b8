// Writes what is generated from the configuration table and the contract: .env.example, the tables of docs/configuration.md
// and docs/api.md, and the list of events in docs/webhooks.md. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderApi } from '../dist/src/api/docs/api-table.js';
import { renderConfiguration, renderDotEnvExample } from '../dist/src/config-documentation.js';
import { renderEvents } from '../dist/src/event-documentation.js';

const path = (name) => new URL(`../${name}`, import.meta.url);
const renew = (name, render) => writeFileSync(path(name), render(readFileSync(path(name), 'utf8')));
writeFileSync(path('.env.example'), renderDotEnvExample());
renew('docs/configuration.md', renderConfiguration);
renew('docs/api.md', renderApi);
renew('docs/webhooks.md', renderEvents);
