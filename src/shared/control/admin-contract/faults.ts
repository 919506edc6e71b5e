import { z } from 'zod';
import { isKernelCode, kernelCodes } from '../../kernel/errors/index.ts';

/** The effects of a fault inside a module on the process that serves it. */
const processFaults = ['leak', 'block', 'crash'] as const;
export type ProcessFault = (typeof processFaults)[number];

/** A fault to inject into calls from a caller to an operation, for a time. */
export const callFaultSchema = z.strictObject({
  /** The calling module, `gateway`, or `*`. */
  caller: z.string().min(1).max(100),
  /** `payments.authorize`, `payments.*`, or `*`. */
  operation: z.string().min(1).max(200),
  /** Delays the call by `latencyMs`, plus a random time of at most `jitterMs`. */
  latencyMs: z.int().min(0).max(60_000).optional(),
  jitterMs: z.int().min(0).max(60_000).optional(),
  /** Refuses the call with this kernel code; the call never arrives. */
  error: z
    .string()
    .refine(isKernelCode, `must be one of ${Object.keys(kernelCodes).join(', ')}`)
    .optional(),
  /** Loses the call on its way, or its answer after the work is done; the caller cannot tell which. */
  lose: z.enum(['call', 'answer']).optional(),
  /** Delivers the call twice with one idempotency key, like a network that repeats it. */
  double: z.boolean().optional(),
  /** Harms the process that serves the call: leaks memory, blocks the event loop, or kills the process. */
  inside: z.enum(processFaults, `must be one of ${processFaults.join(', ')}`).optional(),
  /** The share of the calls that meet the fault, 0 to 1. */
  share: z.number().min(0).max(1).default(1),
  /** When the fault ends, in milliseconds since 1970, by the system's time. */
  until: z.number(),
});
export type CallFault = z.output<typeof callFaultSchema>;

const longestMs = 60 * 60_000;
const duration = `must be a whole number of milliseconds, 1 to ${longestMs}`;

/** A fault as an operator orders it: for a time from now on. */
export const faultOrderSchema = callFaultSchema
  .omit({ until: true })
  .extend({ forMs: z.int(duration).min(1, duration).max(longestMs, duration) });
export type FaultOrder = z.output<typeof faultOrderSchema>;

/** The body of `PUT /ops/faults`. */
export const faultsSchema = z.strictObject({
  faults: z.array(faultOrderSchema, 'must be a list of faults').max(100, 'must be 100 at most'),
});

/** What the routes of faults answer: the active faults, and the processes that could not be told. */
export const faultAnswer = z.looseObject({
  items: z.array(callFaultSchema.extend({ until: z.string() })),
  missed: z.array(z.string()).optional(),
});
