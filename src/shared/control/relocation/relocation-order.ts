import { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import { invalidInput } from '../../kernel/errors/index.ts';
import { type Placement, placementText, readPlacement, type ServicePlacement } from '../topology/index.ts';
import { canarySchema } from './canary.ts';
import { mirrorSchema } from './mirror.ts';
import type { TryOut } from './trials.ts';

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

/** The author of an order, for the log and for other operators meanwhile. */
export const by = z
  .string()
  .max(200)
  .regex(/^\P{C}*$/u, 'must be printable')
  .default('an operator');

/** The parts of a placement in processes of its own. An absent part stays as it is; `null` is the default. */
const changeSchema = z.strictObject({
  via: z.enum(['http', 'grpc', 'queue']).optional(),
  instances: z.int().nullable().optional(),
  port: z.int().nullable().optional(),
  artifact: z.string().max(2_048).nullable().optional(),
});
export type Change = z.output<typeof changeSchema>;

const bodySchema = z.strictObject({
  placement: z.string().max(2_048).optional(),
  ...changeSchema.shape,
  again: z.boolean().default(false),
  canary: canarySchema.optional(),
  mirror: mirrorSchema.optional(),
  forNow: z.boolean().default(false),
  by,
});

/**
 * Reads an order. It names the whole `placement`, or the parts of `outside` that change. `outside` is the current or last placement of
 * the module in processes of its own. Throws `invalid-input` with the path and message of each mistake.
 */
export function readOrder(module: string, body: unknown, outside: ServicePlacement | undefined): RelocationOrder {
  const { placement, via, instances, port, artifact, ...order } = parseInput(bodySchema, body);
  const change = { via, instances, port, artifact };
  const changes = Object.values(change).some((part) => part !== undefined);
  if (placement !== undefined && changes)
    throw refused('names all of it; leave out via, instances, port and artifact, or name those alone');
  if (placement === undefined && !changes && !order.again)
    throw refused('is missing; say where the module is to run, such as {"placement": "http"}');
  return { ...order, module, placement: placementOf(placement ?? textOf(change, outside)) };
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

function placementOf(text: string): Placement {
  const placement = readPlacement(text);
  if (typeof placement === 'string') throw refused(placement);
  return placement;
}

function refused(message: string): Error {
  return invalidInput([{ path: 'placement', message }]);
}
