// The options for a trial of new replicas before they get all calls.
import type { z } from 'zod';
import { canarySchema, mirrorSchema, type relocationSchema } from '../../src/shared/control/admin-contract/index.ts';
import { type KerfCommand, misuse } from '../cli/command.ts';
import { type Field, optionFor, readNumber } from '../numbers.ts';

/** The options that configure a canary. */
const ofCanary = ['stage', 'max-wait', 'least-calls', 'max-failures', 'max-slower'] as const;

/** The options as commander reads them. */
export type TryOutOptions = Readonly<
  Partial<Record<'mirror' | 'canary' | 'stage' | 'maxWait' | 'leastCalls' | 'maxFailures' | 'maxSlower', string>>
> & { readonly mirrorOptional?: true };

/** Adds the options to a command. */
export function withTryOut(command: KerfCommand): KerfCommand {
  return command
    .option(
      '--mirror <seconds>',
      'first sends every query to the new replicas as well, for this time; goes back if an answer differs',
    )
    .option('--mirror-optional', 'of a mirror: continues if no query comes; otherwise waits for one, then fails')
    .option(
      '--canary <share>',
      'sends this share of the calls, such as 5%, to the new replicas first, then 25, 50 and 100 %; goes back if they do worse',
    )
    .option('--stage <seconds>', 'of a canary: minimum time at each share (10)')
    .option('--least-calls <number>', 'of a canary: minimum number of calls to the new replicas at each share (100)')
    .option(
      '--max-wait <seconds>',
      'of a canary: maximum time at each share, while calls or a verdict are missing (6 times --stage)',
    )
    .option('--max-failures <share>', 'of a canary: allowed extra share of failed calls (1%)')
    .option(
      '--max-slower <ms>',
      'of a canary: allowed extra time at the 95th percentile (50; between processes the earlier value, from 5 to 50)',
    );
}

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
export function tryOut(options: TryOutOptions): Pick<z.input<typeof relocationSchema>, 'mirror' | 'canary'> {
  const { mirror, canary, mirrorOptional } = options;
  const values = optionsByName(options);
  if (canary === undefined && ofCanary.some((name) => values[name] !== undefined))
    misuse(`${ofCanary.map((name) => `--${name}`).join(', ')} are for --canary; add it`);
  if (mirror === undefined && mirrorOptional) misuse('--mirror-optional is for --mirror; add it');
  const read = (name: keyof typeof numbers) => readNumber(name, values[name], numbers[name]);
  return {
    ...(mirror !== undefined && { mirror: { forMs: read('mirror'), required: !mirrorOptional } }),
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

function optionsByName(options: TryOutOptions): Readonly<Partial<Record<keyof typeof numbers, string>>> {
  const { mirror, canary, stage, maxWait, leastCalls, maxFailures, maxSlower } = options;
  const others = {
    'max-wait': maxWait,
    'least-calls': leastCalls,
    'max-failures': maxFailures,
    'max-slower': maxSlower,
  };
  return Object.fromEntries(
    Object.entries({ mirror, canary, stage, ...others }).filter(([, value]) => value !== undefined),
  );
}
