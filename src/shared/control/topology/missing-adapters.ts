import type { Adapters } from '../../kernel/ports/index.ts';
import type { Placement } from './placement.ts';

/** Throws a `StartError` when the product has no adapter for a placement. `bus` is the value of `BUS`, which a queue uses. */
export function refuseMissingAdapters(
  placements: Iterable<readonly [module: string, placement: Placement]>,
  bus: string,
  adapters: Adapters,
): void {
  for (const [module, placement] of placements) {
    const neededBy = `the placement of ${module}`;
    if (placement.kind === 'addresses') for (const address of placement.addresses) adapters.refuseUnknown(address);
    if (placement.kind === 'broker') adapters.refuseUnknown(placement.url);
    if (placement.kind === 'name') adapters.find('findByName', neededBy);
    if (placement.kind === 'file') adapters.find('findInFile', neededBy);
    if (placement.kind === 'service' && placement.via === 'queue') adapters.refuseUnknown(bus);
    if (placement.kind === 'service' && placement.via !== 'queue') adapters.wireNamed(placement.via, neededBy);
  }
}
