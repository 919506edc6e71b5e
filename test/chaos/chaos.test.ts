import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { lives } from '../crash/scene.ts';
import { readOptions } from './options.ts';

const chaos = (...words: string[]): ChildProcess => {
  const child = spawn(process.execPath, ['scripts/kerf.mjs', 'chaos', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGTERM'));
  return child;
};
const ended = (child: ChildProcess) => new Promise((resolve) => child.once('close', resolve));

it('stops every process it started when it is interrupted', async () => {
  const child = chaos('--seed', '1', '--minutes', '1');
  const lines: string[] = [];
  const underLoad = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(line);
      if (line.includes('reads')) resolve();
    });
  });
  const over = ended(child);
  await Promise.race([underLoad, over]);
  const before = systemsUnder(child.pid!);
  child.kill('SIGTERM');
  expect(await over).toBe(130);
  expect(lines[0]).toContain('npx kerf chaos --seed 1 --minutes 1');
  expect(before).toHaveLength(11);
  expect(before.filter(lives)).toEqual([]);
});

it.each([
  [['--minutes', '0'], '--minutes must be a number from 0.1 to 1440'],
  [['--seed', 'x'], '--seed must be a whole number'],
  [['--bus', 'http://x'], '--bus must be an amqp:// or nats:// URL'],
  [['--sed', '1'], "Unknown option '--sed'"],
  [['--seed', '--json'], "Option '--seed' argument is ambiguous"],
  [['now'], "Unexpected argument 'now'"],
])('refuses %j with a one-line message', (words, why) => {
  const refused = readOptions(words);
  expect(refused).toContain(why);
  expect(refused).not.toContain('\n');
});

it('draws a seed when none is given', () => {
  const options = readOptions(['--minutes', '0.5', '--bus', 'nats://broker']);
  expect(options).toEqual({ seed: expect.any(Number), minutes: 0.5, bus: 'nats://broker', json: false });
});

/** Returns the ids of the system's processes: descendants of the run that execute the program. */
function systemsUnder(run: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const rows = stdout.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const all = rows.map(([, pid, parent, args = '']) => ({ pid: Number(pid), parent: Number(parent), args }));
  const below = (root: number): typeof all =>
    all.filter(({ parent }) => parent === root).flatMap((each) => [each, ...below(each.pid)]);
  return below(run).flatMap(({ pid, args }) => (args.includes('faulty-app.js') ? [pid] : []));
}
