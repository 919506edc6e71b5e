import type { Contract } from '../../src/shared/kernel/contract/index.ts';

const found = import.meta.glob<Record<string, unknown>>('../../src/modules/*/contract.ts', { eager: true });

/** The contract of every module, including modules that live in repositories of their own. */
export const contracts: readonly Contract[] = Object.values(found).flatMap(Object.values).filter(isContract);

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'operations' in value && 'refuse' in value;
}
