// npm run format: formats files and applies the safe fixes of the linter.
import { run, tool } from './programs.ts';
import { wordsToPass } from './words.ts';

const help = `Usage: npm run format [-- path …]

Formats all files, or the named files, and applies the safe fixes of the linter.`;

const paths = wordsToPass(help);
const biome = tool('@biomejs', 'biome', 'bin', 'biome');
process.exit(run(biome, 'check', '--write', ...(paths.length > 0 ? paths : ['.'])));
