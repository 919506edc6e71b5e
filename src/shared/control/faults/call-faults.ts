import { z } from 'zod';
import type { Clock } from '../../kernel/context/index.ts';
import { isKernelCode, kernelCodes } from '../../kernel/errors/index.ts';
import { type ProcessFault, processFaults, recover } from './process-faults.ts';

/** What is to happen to calls on an edge, from a caller to an operation, for a time. */
export const callFaultSchema = z.strictObject({
  /** The calling module, `gateway`, or `*`. */
  caller: z.string().min(1).max(100),
  /** `payments.authorize`, `payments.*`, or `*`. */
  operation: z.string().min(1).max(200),
  /** How long a call is held up before it goes on, and how much longer at most, by chance. */
  latencyMs: z.int().min(0).max(60_000).optional(),
  jitterMs: z.int().min(0).max(60_000).optional(),
  /** It is refused with this code of the kernel's, and never arrives. */
  error: z
    .string()
    .refine(isKernelCode, `must be one of ${Object.keys(kernelCodes).join(', ')}`)
    .optional(),
  /** It is lost on its way, or it is done and its answer is lost: the caller learns neither. */
  lose: z.enum(['call', 'answer']).optional(),
  /** It arrives twice, as a network that repeats brings it: with one idempotency key. */
  double: z.boolean().optional(),
  /** What it does to the process in which it is served: keeps memory, holds the event loop, ends it. */
  inside: z.enum(processFaults, `must be one of ${processFaults.join(', ')}`).optional(),
  /** Which part of the calls meets this. */
  share: z.number().min(0).max(1).default(1),
  /** When it is over, in milliseconds since 1970, as the system counts them. */
  until: z.number(),
});
export type CallFault = z.output<typeof callFaultSchema>;

/** The faults that are on now in this process. Asking costs next to nothing while there are none. */
export class CallFaults {
  #faults: readonly CallFault[] = [];
  private readonly clock: Pick<Clock, 'now'>;
  private readonly random: () => number;

  constructor(clock: Pick<Clock, 'now'>, random: () => number = Math.random) {
    this.clock = clock;
    this.random = random;
  }

  /** In place of those that were. */
  set(faults: readonly CallFault[]): void {
    this.#faults = faults;
    if (!faults.some(({ inside }) => inside === 'leak')) recover();
  }

  list(): readonly CallFault[] {
    const now = this.clock.now();
    return this.#faults.filter(({ until }) => until > now);
  }

  /** The fault that a call meets on its way, if any: the first that fits, when chance has it. */
  met(caller: string, module: string, operation: string): CallFault | undefined {
    return this.#faults.length === 0 ? undefined : this.#first(caller, module, operation, false);
  }

  /**
   * What a call does to the process that serves it, if anything. A module serves public requests by calls to itself: such a call meets what
   * is put on the gateway's, too.
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

  /** By how much a call that meets it is held up, in milliseconds. */
  delayOf({ latencyMs = 0, jitterMs = 0 }: CallFault): number {
    return latencyMs + Math.round(this.random() * jitterMs);
  }
}
