import { z } from 'zod';
import { type Contract, defaultTimeoutMs, type Event, type Operation } from '../../kernel/contract/index.ts';
import { noteFacts } from './facts.ts';

const schema = z.record(z.string(), z.unknown());
/** A value as the sender produces it, and as the receiver accepts it: JSON Schema, draft 2020-12, with `facts`. */
const shape = z.object({ sent: schema, taken: schema });

/** A contract as data that can travel from one process to another. */
export const contractDescriptionSchema = z.object({
  name: z.string(),
  operations: z.record(
    z.string(),
    z.object({
      kind: z.enum(['query', 'command']),
      input: shape,
      output: shape,
      /** How long callers wait, in milliseconds. Earlier releases omit it. */
      timeoutMs: z.number().optional(),
    }),
  ),
  /** By type, with the version. */
  events: z.record(z.string(), z.object({ key: z.string(), data: shape })),
  /** By code. */
  errors: z.record(z.string(), z.object({ status: z.int(), data: shape.optional() })),
  /** Places that the comparison cannot judge and people found compatible, each with the reason. */
  accepted: z.record(z.string(), z.string()).optional(),
});
export type ContractDescription = z.output<typeof contractDescriptionSchema>;
export type Shape = z.output<typeof shape>;

/** Describes what callers and subscribers may rely on. */
export function describeContract(contract: Contract): ContractDescription {
  const operations = Object.values(contract.operations) as Operation[];
  const events = Object.values(contract.events) as Event[];
  return {
    name: contract.name,
    operations: Object.fromEntries(
      operations.map(({ name, kind, input, output, timeoutMs = defaultTimeoutMs }) => [
        name,
        { kind, input: shapeOf(input), output: shapeOf(output), timeoutMs },
      ]),
    ),
    events: Object.fromEntries(events.map(({ type, key, data }) => [type, { key, data: shapeOf(data) }])),
    errors: Object.fromEntries(
      Object.entries(contract.errors).map(([code, { status, data }]) => [
        code,
        { status, ...(data && { data: shapeOf(data) }) },
      ]),
    ),
    ...(contract.accepted && { accepted: { ...contract.accepted } }),
  };
}

function shapeOf(of: z.ZodType): Shape {
  const as = (io: 'input' | 'output') => {
    const { $schema: _, ...rest } = z.toJSONSchema(of, { io, unrepresentable: 'any', override: noteFacts });
    return rest as Record<string, unknown>;
  };
  return { sent: as('output'), taken: as('input') };
}
