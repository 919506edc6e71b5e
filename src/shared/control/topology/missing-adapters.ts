import type { Adapters } from '../adapter-list/index.ts';
import type { Placement } from './placement.ts';

/**
 * Throws a `StartError` when the product has no adapter for a placement. The adapters that read an address or a broker's URL carry
 * calls there.
 */
export function refuseMissingAdapters(
  placements: Iterable<readonly [module: string, placement: Placement]>,
  adapters: Adapters,
): void {
  for (const [module, placement] of placements) {
    const neededBy = `the placement of ${module}`;
    if (placement.kind === 'name') adapters.find('findByName', neededBy);
    if (placement.kind === 'file') adapters.find('findInFile', neededBy);
    if (placement.kind === 'service' && placement.via !== 'queue') adapters.wireNamed(placement.via, neededBy);
  }
}
