import { z } from 'zod';
import { type Contract, defaultTimeoutMs, type Operation } from '../../contract/index.ts';
import { StartError } from '../../errors/index.ts';
import type { BreakerPolicy } from './breaker.ts';
import type { BulkheadPolicy } from './bulkhead.ts';

/** What holds for the calls of an operation, and for its module's: beside `timeoutMs`, for those that leave the process. */
export interface Policies extends BulkheadPolicy {
  /** The longest an answer may take, all attempts together; a caller may have less. */
  readonly timeoutMs: number;
  /** The first one included: 1 is no retry. */
  readonly attempts: number;
  readonly breaker: BreakerPolicy;
}

const usual: Policies = {
  timeoutMs: defaultTimeoutMs,
  attempts: 3,
  concurrency: 256,
  queue: 1_024,
  breaker: { failureShare: 0.5, minimumCalls: 20, windowMs: 10_000, openMs: 1_000 },
};

const ofACall = {
  timeoutMs: whole(10, 60_000, ' of milliseconds'),
  attempts: whole(1, 10, ', the first attempt included'),
};

const shareRange = 'must be a share, 0.01 to 1, such as 0.5';

/** The `policies` of `topology.yaml`: module → what is not as usual. */
export const policiesSchema = z.record(
  z.string(),
  known({
    ...ofACall,
    concurrency: whole(1, 10_000, ' of calls'),
    queue: whole(0, 100_000, ' of calls'),
    breaker: known({
      failureShare: z.number(shareRange).min(0.01, shareRange).max(1, shareRange).optional(),
      minimumCalls: whole(1, 10_000, ' of calls'),
      windowMs: whole(100, 600_000, ' of milliseconds'),
      openMs: whole(10, 30_000, ' of milliseconds'),
    }).optional(),
    operations: z.record(z.string(), known(ofACall), 'must list operations, each with its policies').optional(),
  }),
  'must list modules, each with its policies',
);

export type PoliciesConfig = z.output<typeof policiesSchema>;

/**
 * The numbers for a module, or for one of its operations: what the file says of the operation, of its module, what the
 * contract says, what is usual, in that order.
 */
export function policiesFor(
  config: PoliciesConfig,
  module: string,
  operation?: Pick<Operation, 'name' | 'timeoutMs'>,
): Policies {
  const given = config[module] ?? {};
  const own = operation && given.operations?.[operation.name];
  return {
    timeoutMs: own?.timeoutMs ?? given.timeoutMs ?? operation?.timeoutMs ?? usual.timeoutMs,
    attempts: own?.attempts ?? given.attempts ?? usual.attempts,
    concurrency: given.concurrency ?? usual.concurrency,
    queue: given.queue ?? usual.queue,
    breaker: { ...usual.breaker, ...given.breaker },
  };
}

/** Throws a `StartError` when `fileName` has policies for a module or an operation that there is not. */
export function refuseUnknownPolicies(config: PoliciesConfig, contracts: readonly Contract[], fileName: string): void {
  for (const [module, { operations = {} }] of Object.entries(config)) {
    const contract = contracts.find(({ name }) => name === module);
    const where = contract ? `policies.${module}.operations` : 'policies';
    const there = contract ? Object.keys(contract.operations) : contracts.map(({ name }) => name);
    const unknown = contract ? Object.keys(operations).find((name) => !there.includes(name)) : module;
    // A module that is not in this artifact may have any.
    if (unknown === undefined || (contract && there.length === 0)) continue;
    throw new StartError(`${fileName}: ${where}: there is no "${unknown}"; there are ${there.join(', ')}`);
  }
}

function whole(lowest: number, highest: number, ofWhat: string) {
  const range = `must be a whole number${ofWhat}, ${lowest} to ${highest}`;
  return z.number(range).int(range).min(lowest, range).max(highest, range).optional();
}

function known<S extends z.ZodRawShape>(shape: S) {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `"${issue.keys[0]}" is not known; known are ${names}`
        : `must say any of ${names}`,
  });
}
