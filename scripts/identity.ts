// npm run identity: prints the identity file for a process that runs modules on another machine.
import { app, run } from './programs.ts';
import { build } from './setup.mjs';
import { readWords } from './words.ts';

const help = `Usage: npm run --silent identity -- module … > payments.identity

Prints an identity for a process that runs these modules on another machine. Set INTERNAL_IDENTITY to the file there. Anyone with
the file can call as these modules, and as nothing else: keep it secret.
It is valid for a year, and for two changes of keys (npm run rotate-keys).`;

const { positionals: modules } = readWords('identity', help, {});
if (modules.length === 0) {
  console.log(help);
  process.exit(0);
}
build();
process.exit(run(app, `--identity=${modules.join(',')}`));
