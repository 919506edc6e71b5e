// The options by which new replicas are tried out before they get all the calls.
import { misused } from '../operator.mjs';

const duration = 'a number of seconds, 0.1 to 3600';
/** The options that say more of a canary. */
const ofCanary = ['stage', 'max-wait', 'least-calls', 'max-failures', 'max-slower'];

/** As `parseArgs` takes them. */
export const tryOutOptions = {
  ...Object.fromEntries(['mirror', 'canary', ...ofCanary].map((name) => [name, { type: 'string' }])),
  'mirror-optional': { type: 'boolean', default: false },
};

/** What --help says of them. */
export const tryOutHelp = `  --mirror     first send every query to the new replicas too, for so many seconds; go back if an answer differs
    --mirror-optional  continue if no query came; otherwise wait for one, then fail
  --canary     send them this share of the calls first, then 25, 50 and 100 %; go back if they are worse:
    --stage          seconds that each share lasts at least (10)
    --least-calls    how many calls they must have had at each share (100)
    --max-wait       seconds that each share lasts at most, for want of calls or of a verdict (6 times --stage)
    --max-failures   how many more of their calls may fail (1%)
    --max-slower     allowed extra milliseconds at the 95th percentile (50; between processes the earlier value,
                     from 5 to 50)`;

/** The parts of an order that say so. */
export function tryOut(command, values) {
  const { mirror, canary, stage, 'max-failures': maxFailures, 'max-slower': maxSlower } = values;
  const number = (option, text, least, most, words) => {
    if (text === undefined) return undefined;
    const value = Number(text.replace(/%$/, '')) * (text.endsWith('%') ? 0.01 : 1);
    if (!/^\d+(\.\d+)?%?$/.test(text) || value < least || value > most)
      misused(command, `--${option} is ${words}, not "${text}"`);
    return value;
  };
  const seconds = (option, text) => {
    if (text?.endsWith('%')) misused(command, `--${option} is ${duration}, not "${text}"`);
    const value = number(option, text, 0.1, 3_600, duration);
    return value && value * 1_000;
  };
  const share = (option, text, least) =>
    number(option, text, least, 1, `a share such as 5% or 0.05, ${least * 100}% to 100%`);
  const calls = (text) => {
    if (text !== undefined && !/^[1-9]\d{0,4}$/.test(text))
      misused(command, `--least-calls is a number of calls, 1 to 99999, not "${text}"`);
    return text && Number(text);
  };
  const lonely = ofCanary.find((name) => values[name] !== undefined);
  if (canary === undefined && lonely)
    misused(command, `${ofCanary.map((name) => `--${name}`).join(', ')} are for --canary; add it`);
  if (mirror === undefined && values['mirror-optional']) misused(command, '--mirror-optional is for --mirror; add it');
  return {
    ...(mirror !== undefined && {
      mirror: { forMs: seconds('mirror', mirror), required: !values['mirror-optional'] },
    }),
    ...(canary !== undefined && {
      canary: {
        share: share('canary', canary, 0.001),
        stageMs: seconds('stage', stage),
        maxWaitMs: seconds('max-wait', values['max-wait']),
        leastCalls: calls(values['least-calls']),
        maxFailures: share('max-failures', maxFailures, 0),
        maxSlowerMs: number('max-slower', maxSlower, 0, 60_000, 'a number of milliseconds, 0 to 60000'),
      },
    }),
  };
}
