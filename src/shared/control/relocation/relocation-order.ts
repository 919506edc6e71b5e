import { parseInput } from '../../kernel/contract/index.ts';
import { invalidInput } from '../../kernel/errors/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import { type Canary, type Change, type Mirror, relocationSchema } from '../admin-contract/index.ts';
import { type Placement, placementText, readPlacement, type ServicePlacement } from '../topology/index.ts';

/** The trials of the new replicas before they receive all calls, if any. */
export interface TryOut {
  readonly mirror?: Mirror | undefined;
  readonly canary?: Canary | undefined;
}

/** A move as an operator orders it. */
export interface RelocationOrder extends TryOut {
  readonly module: string;
  readonly placement: Placement;
  /** Whether new processes replace the old ones, even when the placement stays the same. */
  readonly again: boolean;
  /** Whether the move lasts only until the next start. */
  readonly forNow: boolean;
  /** The author of the order, to show to other operators meanwhile. */
  readonly by: string;
}

/**
 * Reads an order. It names the whole `placement`, or the parts of `outside` that change. `outside` is the current or last placement of
 * the module in processes of its own. Throws `invalid-input` with the path and message of each mistake.
 */
export function readOrder(
  module: string,
  body: unknown,
  outside: ServicePlacement | undefined,
  adapters: Adapters,
): RelocationOrder {
  const { placement, via, instances, port, artifact, ...order } = parseInput(relocationSchema, body);
  const change = { via, instances, port, artifact };
  const changes = Object.values(change).some((part) => part !== undefined);
  if (placement !== undefined && changes)
    throw refused('is complete by itself; leave out via, instances, port and artifact, or give only those');
  if (placement === undefined && !changes && !order.again)
    throw refused('is missing; say where the module is to run, such as {"placement": "http"}');
  return { ...order, module, placement: placementOf(placement ?? textOf(change, outside), adapters) };
}

const defaultPlacement: ServicePlacement = { kind: 'service', via: 'http', instances: 1 };

function textOf(change: Change, outside: ServicePlacement = defaultPlacement): string {
  const part = <T>(said: T | null | undefined, before: T | undefined) =>
    said === undefined ? before : (said ?? undefined);
  return placementText({
    kind: 'service',
    via: change.via ?? outside.via,
    instances: part(change.instances, outside.instances) ?? 1,
    port: part(change.port, outside.port),
    artifact: part(change.artifact, outside.artifact),
  });
}

function placementOf(text: string, adapters: Adapters): Placement {
  const placement = readPlacement(text, adapters);
  if (typeof placement === 'string') throw refused(placement);
  return placement;
}

function refused(message: string): Error {
  return invalidInput([{ path: 'placement', message }]);
}
