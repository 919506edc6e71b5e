import { z } from 'zod';
import { type Contract, defaultTimeoutMs, type Operation } from '../../../kernel/contract/index.ts';
import { StartError } from '../../../kernel/errors/index.ts';
import type { BreakerPolicy } from './breaker.ts';
import type { BulkheadPolicy } from './bulkhead.ts';

/** The policies for calls of an operation or a module. All except `timeoutMs` apply only to calls that leave the process. */
export interface Policies extends BulkheadPolicy {
  /** Maximum time until the answer, for all attempts together. A caller may have less time. */
  readonly timeoutMs: number;
  /** Maximum number of attempts, including the first: 1 means no retry. */
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

/** The `policies` of `topology.yaml`: maps a module to its overrides of the defaults. */
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
 * Returns the policies of a module or of one of its operations. The first source with a value wins: the file's entry for the
 * operation, the file's entry for the module, the contract, the defaults.
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

/** Throws a `StartError` when `fileName` has policies for an unknown module or operation. */
export function refuseUnknownPolicies(config: PoliciesConfig, contracts: readonly Contract[], fileName: string): void {
  for (const [module, { operations = {} }] of Object.entries(config)) {
    const contract = contracts.find(({ name }) => name === module);
    const where = contract ? `policies.${module}.operations` : 'policies';
    const there = contract ? Object.keys(contract.operations) : contracts.map(({ name }) => name);
    const unknown = contract ? Object.keys(operations).find((name) => !there.includes(name)) : module;
    // This artifact does not know the operations of a module that it does not contain.
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
        ? `"${issue.keys[0]}" is unknown; known are ${names}`
        : `must say any of ${names}`,
  });
}
