import { type Contract, safeParse } from '../../kernel/contract/index.ts';
import { contractDescriptionSchema, describeContract, incompatibilities } from '../releases/index.ts';
import type { ModuleProcess } from '../supervisor/index.ts';

/** Throws when a new release breaks the contract: the other modules still rely on the contract that they know. */
export function refuseBreaking(known: Contract, processes: readonly ModuleProcess[]): void {
  const before = describeContract(known);
  for (const { ready } of processes) {
    const after = safeParse(contractDescriptionSchema, ready?.contract);
    if (!after.success) throw new Error('the new release does not say what its contract is; is it one of Kerf?');
    const [first, ...more] = incompatibilities(before, after.data);
    if (first === undefined) continue;
    const others = more.length > 0 ? ` (and ${more.length} more)` : '';
    throw new Error(`the new release breaks the contract: ${first}${others}`);
  }
}
