// kerf dashboards: writes the dashboards for Grafana.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Define } from './cli/command.ts';
import { boards } from './dashboards/boards.ts';
import { jsonOf } from './dashboards/generate.ts';
import { type ResultOptions, tell } from './operator.ts';
import { root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(
      'Writes the dashboards in scripts/dashboards/boards.ts to deploy/grafana/dashboards/, for Grafana to import or to load from there.',
    )
    .json()
    .action(write);

function write(options: ResultOptions): void {
  const folder = join('deploy', 'grafana', 'dashboards');
  mkdirSync(join(root, folder), { recursive: true });
  const written = boards.map((board) => {
    const file = join(folder, `${board.uid}.json`);
    writeFileSync(join(root, file), jsonOf(board));
    return file;
  });
  tell(options, { written }, () => console.log(`${written.length} dashboards in deploy/grafana/dashboards/`));
}
