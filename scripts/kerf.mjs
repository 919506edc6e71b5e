#!/usr/bin/env node
// @ts-check
// The command line: installs missing dependencies, and runs a command with the Node.js of the project.
import { realpathSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, install, isInstalled, messageOf, node, root } from './setup.mjs';
import { supervise } from './supervise.mjs';

// Commands take paths from the folder of the project, also where npx starts them in another one.
process.chdir(root);
// A completion must not install: it runs at every press of the tab key.
if (process.argv[2] === 'complete' && !isInstalled(root)) process.exit(0);
install();
if (realpathSync(node()) === process.execPath) {
  module.enableCompileCache(join(root, 'node_modules', '.cache', 'node'));
  // Node.js 24.0 prints a warning about type stripping.
  process.removeAllListeners('warning');
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2)).catch((error) => fail(messageOf(error)));
} else {
  // npm started another Node.js: npx does, and npm run before the installation.
  supervise([fileURLToPath(import.meta.url), ...process.argv.slice(2)], { countsInterrupts: true });
}
