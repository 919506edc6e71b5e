// @ts-check
// Loaded before a program that scripts/dev.ts starts. Its modules load while the old process still serves. Then it waits for a line on
// standard input, which says that the old process has ended.
import inspector from 'node:inspector';
import { argv, env, stdin } from 'node:process';

/** The address of the inspector: `9229` or `127.0.0.1:9229`. */
const { KERF_INSPECT: address } = env;
const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d+)$/.exec(address ?? '') ?? [];
const inspect = (/** @type {number} */ at) => address !== undefined && inspector.open(at, host);

if (argv.includes('--only')) inspect(0);
else if (!argv.includes('--modules')) {
  // Without a line, the command that started this process has ended.
  const told = new Promise((resolve) => stdin.once('data', resolve).once('end', () => process.exit(0)));
  Object.defineProperty(globalThis, 'kerfStandby', {
    get() {
      // The modules of the program are loaded: src/app.ts asks for this before it runs.
      process.stdout.write('loaded\n');
      return told.then(() => {
        stdin.removeAllListeners('end').destroy();
        inspect(Number(port));
      });
    },
  });
}
