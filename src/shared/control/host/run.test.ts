import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { externals } from '../../../../scripts/bundling.ts';

const folder = mkdtempSync(join(tmpdir(), 'kerf-run-'));
const bundle = join(folder, 'run.mjs');
// A process takes much longer to load the files one by one.
beforeAll(() =>
  build({ input: 'src/shared/control/host/run.ts', platform: 'node', external: externals, output: { file: bundle } }),
);
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `start` in a process and signals it when it prints `word`. Resolves with the exit code and the output. */
async function stopped(start: string, word: string, ...signals: NodeJS.Signals[]) {
  const program = `
    import { once } from 'node:events';
    import { setImmediate } from 'node:timers/promises';
    import { runUntilStopped } from '${pathToFileURL(bundle).href}';
    await runUntilStopped(${start});
  `;
  const said: string[] = [];
  const words = ['--no-warnings', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (lines: Buffer) => {
    for (const line of lines.toString().trim().split('\n')) {
      said.push(line);
      if (line === word) child.kill(signals.shift() ?? 'SIGTERM');
      else if (line === 'announced' && signals.length > 0) child.kill(signals.shift());
    }
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, said, stderr };
}

it('closes a starting system when it is signaled', async () => {
  const start = `async () => {
    setInterval(() => {}, 1_000);
    console.log('starting');
    await once(process, 'SIGTERM');
    await setImmediate();
    console.log('started');
    return { drainDelayMs: 0, announceStop() {}, close: async () => console.log('closed') };
  }`;
  const { code, said } = await stopped(start, 'starting');
  expect({ code, said }).toEqual({ code: 0, said: ['starting', 'started', 'closed'] });
});

it('prints one line when the close fails, and exits with 1', async () => {
  const start = `async () => {
    setInterval(() => {}, 1_000);
    setImmediate().then(() => console.log('started'));
    return { drainDelayMs: 0, announceStop() {}, close: async () => { throw new Error('the bus is jammed'); } };
  }`;
  const { code, stderr } = await stopped(start, 'started');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^kerf: .*the bus is jammed.*\n$/);
});

it('reports that the close takes too long, and exits with 1', async () => {
  const start = `async () => {
    setInterval(() => {}, 1_000);
    setImmediate().then(() => console.log('started'));
    return { drainDelayMs: 0, announceStop() {}, close: () => new Promise(() => {}) };
  }, 100`;
  const { code, stderr } = await stopped(start, 'started');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^kerf: did not close within 0.1 s and .*\n$/);
});

describe('the announcement of a stop', () => {
  const startWith = (drainDelayMs: number) => `async () => {
    setInterval(() => {}, 1_000);
    setImmediate().then(() => console.log('started'));
    const at = () => performance.now() - begun;
    let begun;
    const announceStop = () => { begun = performance.now(); console.log('announced'); };
    return { drainDelayMs: ${drainDelayMs}, announceStop, close: async () => console.log(at() > ${drainDelayMs} / 2 ? 'late' : 'at once') };
  }`;

  it.each<[what: string, delayMs: number, signals: NodeJS.Signals[], closed: string]>([
    ['lasts for the drain delay, also after a repeated signal', 300, ['SIGTERM', 'SIGTERM'], 'late'],
    ['ends with Ctrl-C', 60_000, ['SIGTERM', 'SIGINT'], 'at once'],
    ['is skipped after Ctrl-C', 60_000, ['SIGINT'], 'at once'],
  ])('%s', async (_, delayMs, signals, closed) => {
    const { code, said } = await stopped(startWith(delayMs), 'started', ...signals);
    expect({ code, said }).toEqual({ code: 0, said: ['started', 'announced', closed] });
  });
});
