// @ts-check
// npm start: installs missing dependencies, builds after changes, and runs the program.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, refuseTaken, root } from './setup.mjs';

refuseTaken(['only', 'accept-loss']);
install();
build();

const kerf = spawn(node(), [join(root, 'dist', 'app.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal signals both processes, a supervisor only this one. The child ignores a second signal.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => kerf.kill(signal));
// npm forwards no signal. When npm ends, the user has stopped this command.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  console.error(`kerf: the process that started this one (${parent}) has gone; stopping`);
  kerf.kill('SIGTERM');
}, 250).unref();
kerf.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
