// npm run advise: estimates the cost and the benefit of extracting each module, measured in the running system.
import { adviceAnswer } from '../src/shared/control/admin-contract/index.ts';
import { ask, printColumns, reaches, tell } from './operator.ts';
import { asJson, readWords, text } from './words.ts';

const help = `Usage: npm run advise [-- --seconds 10] [--per module.operation] [--json]

Watches the running system for a while, measures what a remote call costs on this machine, and says of each module of the home
process what taking it out would cost (calls that would leave the process, how much later an answer comes, processor time) and
bring (processor time moved away, how long it keeps everybody else waiting, failures that would be elsewhere). That with the most to
gain comes first. Put the load on it that you mean: with nothing to see there is nothing to say.

  --seconds  how long it is watched: 1 to 300 (10). Costs a few per cent of the processor meanwhile
  --per      the operation that costs are told per, such as orders.place; otherwise they are told per public call: any
             that a public request makes, in the gateway or in a module's own resources

${reaches}`;

const options = { ...asJson, seconds: { type: 'string', default: '10' }, per: text } as const;
const { values } = readWords('advise', help, options, 0);
const query = new URLSearchParams({ seconds: values.seconds });
if (values.per) query.set('per', values.per);
const advice = await ask(adviceAnswer, 'GET', `/ops/advice?${query}`);

tell(values, advice, ({ seconds, per, parity, price, items, edges }) => {
  console.log(
    `seen for ${seconds} s; a remote call costs ${ms(price.ms)} here, and ${ms(price.cpuMs)} of the processor`,
  );
  if (parity === 'strict')
    console.log('PARITY is strict: calls within the process cost more than they will in production');
  if (edges.length === 0) console.log('nothing was called meanwhile: put the load on it that you mean, and ask again');
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
      'held all for',
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
});

function ms(number: number): string {
  return `${Math.round(number * 100) / 100} ms`;
}
