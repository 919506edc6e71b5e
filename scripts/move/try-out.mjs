// The options by which new copies are tried out before they get all the calls.
import { misused } from '../operator.mjs';

const duration = 'a number of seconds, 0.1 to 3600';

/** The parts of an order that say so. */
export function tryOut(command, { mirror, canary, stage, 'max-failures': maxFailures, 'max-slower': maxSlower }) {
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
  if (canary === undefined && (stage ?? maxFailures ?? maxSlower) !== undefined)
    misused(command, '--stage, --max-failures and --max-slower are for --canary; add it');
  return {
    ...(mirror !== undefined && { mirror: { forMs: seconds('mirror', mirror) } }),
    ...(canary !== undefined && {
      canary: {
        share: share('canary', canary, 0.001),
        stageMs: seconds('stage', stage),
        maxFailures: share('max-failures', maxFailures, 0),
        maxSlowerMs: number('max-slower', maxSlower, 0, 60_000, 'a number of milliseconds, 0 to 60000'),
      },
    }),
  };
}
