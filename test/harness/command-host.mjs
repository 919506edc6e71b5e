// Runs commands one after another, as scripts/run.mjs does, in one process. The modules that they share stay loaded, so that
// a command takes milliseconds instead of a second.
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

async function run({ id, command, words, env }) {
  const script = new URL(`../../scripts/${command}.ts`, import.meta.url);
  process.argv = [process.execPath, fileURLToPath(script), ...words];
  process.env = env;
  process.exitCode = undefined;
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'])
    process[stream].write = (text) => {
      said[stream] += text;
      return true;
    };
  // The query has Node.js run the script again.
  const code = await import(`${script.href}?${id}`).then(
    () => process.exitCode ?? 0,
    (error) => {
      if (error instanceof Exit) return error.code;
      console.error(`kerf: ${messageOf(error)}`);
      return 1;
    },
  );
  process.exitCode = undefined;
  return { code, ...said };
}
