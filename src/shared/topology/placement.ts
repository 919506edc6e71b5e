import { StartError } from '../errors/index.ts';

/**
 * Where a module runs and how it is reached: in the home process; as a service that the home process starts and watches;
 * or at an address where somebody else runs it.
 */
export type Placement =
  | { readonly kind: 'in-process' }
  | { readonly kind: 'service'; readonly transport: 'http' }
  | { readonly kind: 'address'; readonly transport: 'http'; readonly address: string };

/** Reads a placement as `topology.yaml` and `MODULE_<NAME>` write it. Throws a `StartError` that names `where`. */
export function parsePlacement(text: string, where: string): Placement {
  if (text === 'in-process') return { kind: 'in-process' };
  if (text === 'http') return { kind: 'service', transport: 'http' };
  if (text.startsWith('http://') && URL.canParse(text)) {
    const url = new URL(text);
    if (url.pathname === '/' && !url.search && !url.hash && !url.username) {
      return { kind: 'address', transport: 'http', address: url.origin };
    }
  }
  throw new StartError(
    `${where}: "${text}" is not a placement; write in-process, http, or an address such as http://127.0.0.1:4101`,
  );
}

export function placementText(placement: Placement): string {
  if (placement.kind === 'in-process') return 'in-process';
  return placement.kind === 'service' ? placement.transport : placement.address;
}
