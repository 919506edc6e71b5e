// @ts-check
// npm run <command>: installs missing dependencies, and runs scripts/<command>.ts with the Node.js of the project.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, install, messageOf, node, root } from './setup.mjs';

const [program, ...words] = process.argv.slice(1);
install();
if (realpathSync(node()) === process.execPath) {
  const script = join(root, 'scripts', `${words.shift()}.ts`);
  process.argv = [process.execPath, script, ...words];
  module.enableCompileCache(join(root, 'node_modules', '.cache', 'node'));
  // Node.js 24.0 prints a warning about type stripping.
  process.removeAllListeners('warning');
  await import(pathToFileURL(script).href).catch((error) => fail(messageOf(error)));
} else {
  // npm started with another Node.js, because the Node.js of the project was not installed yet.
  const { status } = spawnSync(node(), [program ?? '', ...words], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
