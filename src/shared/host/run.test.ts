import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

/** How a process ended that runs `start` and is signalled when that says `word`. */
async function stopped(start: string, word: string) {
  const program = `
    import { once } from 'node:events';
    import { setImmediate } from 'node:timers/promises';
    import { runUntilStopped } from './src/shared/host/run.ts';
    await runUntilStopped(${start});
  `;
  const words = ['--experimental-transform-types', '--no-warnings', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (said: Buffer) => said.toString().trim() === word && child.kill('SIGTERM'));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, said: stdout.trim().split('\n'), stderr };
}

it('closes what was about to start when it is signalled', async () => {
  const start = `async () => {
    setInterval(() => {}, 1_000);
    console.log('starting');
    await once(process, 'SIGTERM');
    await setImmediate();
    console.log('started');
    return async () => console.log('closed');
  }`;
  const { code, said } = await stopped(start, 'starting');
  expect({ code, said }).toEqual({ code: 0, said: ['starting', 'started', 'closed'] });
});

it('says in one line why it cannot be closed in order, and ends with 1', async () => {
  const start = `async () => {
    setInterval(() => {}, 1_000);
    setImmediate().then(() => console.log('started'));
    return async () => { throw new Error('the bus is jammed'); };
  }`;
  const { code, stderr } = await stopped(start, 'started');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^kerf: .*the bus is jammed.*\n$/);
});
