import { z } from 'zod';
import type { Clock } from '../../kernel/context/index.ts';
import { isKernelCode, kernelCodes } from '../../kernel/errors/index.ts';
import { type ProcessFault, processFaults, recover } from './process-faults.ts';

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

/** Holds the active faults of this process. A lookup costs almost nothing while there are none. */
export class CallFaults {
  #faults: readonly CallFault[] = [];
  private readonly clock: Pick<Clock, 'now'>;
  private readonly random: () => number;

  constructor(clock: Pick<Clock, 'now'>, random: () => number = Math.random) {
    this.clock = clock;
    this.random = random;
  }

  /** Replaces all earlier faults. */
  set(faults: readonly CallFault[]): void {
    this.#faults = faults;
    if (!faults.some(({ inside }) => inside === 'leak')) recover();
  }

  list(): readonly CallFault[] {
    const now = this.clock.now();
    return this.#faults.filter(({ until }) => until > now);
  }

  /** Returns the fault that a call meets on its way, if any: the first match, with the probability of its `share`. */
  met(caller: string, module: string, operation: string): CallFault | undefined {
    return this.#faults.length === 0 ? undefined : this.#first(caller, module, operation, false);
  }

  /**
   * Returns the fault that a call injects into the process that serves it, if any. A module serves public requests by calls to itself:
   * such a call also meets the faults of the caller `gateway`.
   */
  metInside(caller: string, module: string, operation: string): ProcessFault | undefined {
    if (this.#faults.length === 0) return undefined;
    const found = this.#first(caller, module, operation, true);
    return (found ?? (caller === module ? this.#first('gateway', module, operation, true) : undefined))?.inside;
  }

  #first(caller: string, module: string, operation: string, inside: boolean): CallFault | undefined {
    this.#faults = this.list();
    const fits = (fault: CallFault) =>
      (fault.inside !== undefined) === inside &&
      (fault.caller === '*' || fault.caller === caller) &&
      ['*', `${module}.*`, `${module}.${operation}`].includes(fault.operation);
    const fault = this.#faults.find(fits);
    return fault && this.random() < fault.share ? fault : undefined;
  }

  /** Returns a random delay for a call that meets the fault, in milliseconds. */
  delayOf({ latencyMs = 0, jitterMs = 0 }: CallFault): number {
    return latencyMs + Math.round(this.random() * jitterMs);
  }
}
