// @ts-check
import { spawn } from 'node:child_process';
import { endWithParent, node } from './setup.mjs';

/**
 * Runs a program with the Node.js of the project, forwards signals to it, and ends with its exit code. Stops the program when the
 * process that started this one has gone.
 * @param {readonly string[]} words
 */
export function supervise(words) {
  const child = spawn(node(), words, { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  // A terminal interrupts both processes, and a command may count the interrupts. A supervisor interrupts only this one.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  endWithParent(() => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
