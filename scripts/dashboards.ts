// npm run dashboards: writes the dashboards for Grafana.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boards } from './dashboards/boards.ts';
import { jsonOf } from './dashboards/generate.ts';
import { root } from './setup.mjs';
import { readWords } from './words.ts';

const help = `Usage: npm run dashboards

Writes the dashboards in scripts/dashboards/boards.ts to deploy/grafana/dashboards/, for Grafana to import or to load from there.`;

readWords('dashboards', help, {}, 0);
const folder = join(root, 'deploy', 'grafana', 'dashboards');
mkdirSync(folder, { recursive: true });
for (const board of boards) writeFileSync(join(folder, `${board.uid}.json`), jsonOf(board));
console.log(`${boards.length} dashboards in deploy/grafana/dashboards/`);
