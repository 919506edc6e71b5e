// Runs commands one after another, as scripts/kerf.mjs does, in one process. The modules that they share stay loaded, so that
// a command takes milliseconds instead of a second.
import module from 'node:module';
import { join } from 'node:path';
import { main } from '../../scripts/cli/main.ts';
import { messageOf, root } from '../../scripts/setup.mjs';

module.enableCompileCache(join(root, 'node_modules', '.cache', 'node'));
// Node.js 24.0 prints a warning about type stripping.
process.removeAllListeners('warning');

/** Ends a command in place of the process. */
class Exit extends Error {
  constructor(code) {
    super();
    this.code = code;
  }
}

process.exit = (code = process.exitCode ?? 0) => {
  throw new Exit(code);
};

const send = process.send.bind(process);
let last = Promise.resolve();
process.on('message', (order) => {
  last = last.then(async () => send({ id: order.id, ended: await run(order) }));
});

async function run({ command, words, env }) {
  process.env = env;
  process.exitCode = undefined;
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'])
    process[stream].write = (text) => {
      said[stream] += text;
      return true;
    };
  const code = await main([command, ...words]).catch((error) => {
    if (error instanceof Exit) return error.code;
    console.error(`kerf: ${messageOf(error)}`);
    return 1;
  });
  process.exitCode = undefined;
  return { code, ...said };
}
