// kerf chaos --minutes 5: runs real processes under load, injects random faults from a seed, and compares the books at the end.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Define, wordsOf } from './cli/command.ts';
import { build, bundle, node, root } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Starts every module in a process of its own, with a new data folder, on free ports. Simulated customers order, cancel,
sign up, write and read. Meanwhile, at random from the seed: kill -9 of any process; processes that freeze and come back; calls that are
slow, lost, doubled, refused, or kill the process that serves them; event handlers that never return, or kill their process; commits that
stall; clocks that step; providers that hang; clients that hang up; modules that move out and back; data that is missing at a start; a
disk that is full, where a tmpfs can be mounted; a broker that is away, with --bus.`)
    .option(
      '--seed <number>',
      'the seed of the plan (random, and printed); the processes react a little differently each time',
    )
    .option('--minutes <minutes>', 'the duration, 0.1 to 1440 (5)')
    .option('--bus <url>', 'the broker that carries the events: amqp://… or nats://…')
    .json('prints the report and the verdict as one JSON object')
    .note(`The report lists each action, its time, and the answers that customers saw until the next action. At the end, the books of the
modules must agree with one another, with the books of the providers, and with every answer. Exits with 0 when the books agree, with 1
when they do not, with 130 on Ctrl-C. It always stops every process that it started.`)
    .action((options) => start(wordsOf(options)));

function start(words: readonly string[]): void {
  build();
  bundle('-c', 'test/chaos/rolldown.config.mjs');
  const run = spawn(node(), [join('dist', 'chaos.mjs'), ...words], { cwd: root, stdio: 'inherit' });
  // Ctrl-C also reaches the run, which stops its processes and ends. This process forwards a signal that it receives alone.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => run.kill('SIGTERM'));
  run.on('exit', (code) => process.exit(code ?? 1));
}
