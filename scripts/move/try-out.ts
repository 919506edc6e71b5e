// The options for a trial of new replicas before they get all calls.
import type { z } from 'zod';
import { canarySchema, mirrorSchema, type relocationSchema } from '../../src/shared/control/admin-contract/index.ts';
import { type Field, optionFor, readNumber } from '../numbers.ts';
import { flag, misused, text } from '../words.ts';

/** The options that configure a canary. */
const ofCanary = ['stage', 'max-wait', 'least-calls', 'max-failures', 'max-slower'] as const;

/** The options for `parseArgs`. */
export const tryOutOptions = {
  ...{ mirror: text, canary: text, stage: text, 'max-wait': text },
  ...{ 'least-calls': text, 'max-failures': text, 'max-slower': text },
  'mirror-optional': flag,
} as const;

type Values = Partial<Readonly<Record<keyof typeof numbers, string>>> & { readonly 'mirror-optional': boolean };

/** The text for --help. */
export const tryOutHelp = `  --mirror     first sends every query to the new replicas as well, for this number of seconds; goes back if an answer differs
    --mirror-optional  continues if no query comes; otherwise waits for one, then fails
  --canary     sends this share of the calls to the new replicas first, then 25, 50 and 100 %; goes back if they do worse:
    --stage          minimum seconds at each share (10)
    --least-calls    minimum number of calls to the new replicas at each share (100)
    --max-wait       maximum seconds at each share, while calls or a verdict are missing (6 times --stage)
    --max-failures   allowed extra share of failed calls (1%)
    --max-slower     allowed extra milliseconds at the 95th percentile (50; between processes the earlier value,
                     from 5 to 50)`;

const seconds = (field: Field) => optionFor(field, 'is a number of seconds', { times: 1_000 });
const share = (field: Field, least = {}) =>
  optionFor(field, 'is a share such as 5% or 0.05', { isShare: true, ...least });

const { share: first, stageMs, maxWaitMs, leastCalls, maxFailures, maxSlowerMs } = canarySchema.shape;
const numbers = {
  mirror: seconds(mirrorSchema.shape.forMs),
  // The running system accepts any share above 0.
  canary: share(first, { least: 0.001 }),
  stage: seconds(stageMs),
  'max-wait': seconds(maxWaitMs),
  'least-calls': optionFor(leastCalls, 'is a number of calls', { isWhole: true }),
  'max-failures': share(maxFailures),
  'max-slower': optionFor(maxSlowerMs, 'is a number of milliseconds'),
};

/** Returns the fields of the order for these options. */
export function tryOut(command: string, values: Values): Pick<z.input<typeof relocationSchema>, 'mirror' | 'canary'> {
  const { mirror, canary } = values;
  const lonely = ofCanary.some((name) => values[name] !== undefined);
  if (canary === undefined && lonely)
    misused(command, `${ofCanary.map((name) => `--${name}`).join(', ')} are for --canary; add it`);
  if (mirror === undefined && values['mirror-optional']) misused(command, '--mirror-optional is for --mirror; add it');
  const read = (name: keyof typeof numbers) => readNumber(command, name, values[name], numbers[name]);
  return {
    ...(mirror !== undefined && { mirror: { forMs: read('mirror'), required: !values['mirror-optional'] } }),
    ...(canary !== undefined && {
      canary: {
        share: read('canary'),
        stageMs: read('stage'),
        maxWaitMs: read('max-wait'),
        leastCalls: read('least-calls'),
        maxFailures: read('max-failures'),
        maxSlowerMs: read('max-slower'),
      },
    }),
  };
}
