// @ts-check
import { spawn } from 'node:child_process';
import { endWithParent, node } from './setup.mjs';

/**
 * Runs a program with the Node.js of the project, forwards signals to it, and ends with its exit code. Stops the program when the
 * process that started this one has gone. On Ctrl-C, a terminal signals both processes. With `countsInterrupts`, this process
 * forwards none, because the program counts them.
 * @param {readonly string[]} words
 */
export function supervise(words, { countsInterrupts = false } = {}) {
  const child = spawn(node(), words, { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => (countsInterrupts && process.stdin.isTTY) || child.kill('SIGINT'));
  endWithParent(() => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
