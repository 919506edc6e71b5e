// kerf format: formats files and applies the safe fixes of the linter.
import type { Define } from './cli/command.ts';
import { run, tool } from './programs.ts';

export const define: Define = (command) =>
  command
    .description('Formats all files, or the named files, and applies the safe fixes of the linter.')
    .argument('[path...]', 'the files and folders (.)')
    .action((paths: readonly string[]) => {
      const biome = tool('@biomejs', 'biome', 'bin', 'biome');
      process.exit(run(biome, 'check', '--write', ...(paths.length > 0 ? paths : ['.'])));
    });
