// kerf schemas: writes the JSON Schemas of module.json and topology.yaml, by which editors complete and explain these files.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Define } from './cli/command.ts';
import { type ResultOptions, tell } from './operator.ts';
import { editorSchemas } from './schemas/generate.ts';
import { root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(
      'Writes the JSON Schemas of module.json and topology.yaml to schemas/, by which editors complete and explain these files.',
    )
    .json()
    .action(write);

function write(options: ResultOptions): void {
  const written = Object.entries(editorSchemas()).map(([file, text]) => {
    writeFileSync(join(root, 'schemas', file), text);
    return `schemas/${file}`;
  });
  tell(options, { written }, () => console.log(written.join('\n')));
}
