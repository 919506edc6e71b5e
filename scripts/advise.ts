// kerf advise: estimates the cost and the benefit of extracting each module, measured in the running system.
import type { z } from 'zod';
import { adviceAnswer } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import { ask, printColumns, type ResultOptions, reaches, tell } from './operator.ts';
import { during } from './progress.mjs';

type Advice = z.output<typeof adviceAnswer>;

export const define: Define = (command) =>
  command
    .description(`Watches the running system and measures the cost of a remote call on this machine. For each module of the home process, it
reports the cost of an extraction (calls that would leave the process, later answers, processor time) and the benefit (processor time
that moves away, the time that others wait for the module, failures that would be elsewhere). The module with the greatest benefit
comes first. Put a typical load on the system meanwhile: without calls there is nothing to report.`)
    .option('--seconds <seconds>', 'the time to watch: 1 to 300. This takes a few percent of the processor', '10')
    .option(
      '--per <operation>',
      "reports costs per call of this operation, such as orders.place; otherwise per call that a public request makes, in the gateway or in a module's own resources",
    )
    .json()
    .note(reaches)
    .action(advise);

interface AdviseOptions extends ResultOptions {
  readonly seconds: string;
  readonly per?: string;
}

async function advise(options: AdviseOptions): Promise<void> {
  const query = new URLSearchParams({ seconds: options.seconds });
  if (options.per) query.set('per', options.per);
  const advice = await during(`watching for ${options.seconds} s`, () =>
    ask(adviceAnswer, 'GET', `/ops/advice?${query}`),
  );
  tell(options, advice, print);
}

function print({ seconds, per, parity, price, items, edges }: Advice): void {
  console.log(
    `watched for ${seconds} s; a remote call takes ${ms(price.ms)} here, and ${ms(price.cpuMs)} of the processor`,
  );
  if (parity === 'strict')
    console.log('PARITY is strict: calls within the process cost more than they will in production');
  if (edges.length === 0)
    console.log('no module was called meanwhile: put a typical load on the system, and run the command again');
  console.log();
  printColumns([
    [
      'module',
      'verdict',
      `calls per ${per ?? 'public call'}`,
      'later by',
      'processor',
      'moved away',
      'share',
      'blocked for',
      'failures',
    ],
    ...items.map(({ module, verdict, costs, brings }) => [
      module,
      verdict,
      String(costs.remoteCallsPer),
      ms(costs.addedMsPer),
      `+${costs.addedCpuMsPerSecond} ms/s`,
      `${brings.cpuMsPerSecond} ms/s`,
      `${Math.round(brings.cpuShare * 100)} %`,
      ms(brings.longestBlockMs),
      String(brings.failures),
    ]),
  ]);
}

function ms(number: number): string {
  return `${Math.round(number * 100) / 100} ms`;
}
