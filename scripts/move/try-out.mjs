// The options by which new copies are tried out before they get all the calls.
import { misused } from '../operator.mjs';

/** The parts of an order that say so. */
export function tryOut(command, { mirror, canary, stage, 'max-failures': maxFailures, 'max-slower': maxSlower }) {
  const number = (option, text, times = 1) => {
    if (text === undefined) return undefined;
    const value = Number(text.replace(/%$/, '')) * (text.endsWith('%') ? 0.01 : 1) * times;
    if (!/^\d+(\.\d+)?%?$/.test(text)) misused(command, `--${option} is a number such as 5 or 5%, not "${text}"`);
    return value;
  };
  if (canary === undefined && (stage ?? maxFailures ?? maxSlower) !== undefined)
    misused(command, '--stage, --max-failures and --max-slower are for --canary; add it');
  return {
    ...(mirror !== undefined && { mirror: { forMs: number('mirror', mirror, 1_000) } }),
    ...(canary !== undefined && {
      canary: {
        share: number('canary', canary),
        stageMs: number('stage', stage, 1_000),
        maxFailures: number('max-failures', maxFailures),
        maxSlowerMs: number('max-slower', maxSlower),
      },
    }),
  };
}
