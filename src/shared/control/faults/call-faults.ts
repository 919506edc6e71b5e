import type { Clock } from '../../kernel/context/index.ts';
import type { CallFault, ProcessFault } from '../admin-contract/index.ts';
import { recover } from './process-faults.ts';

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
