import type { Clock } from '../../../kernel/context/index.ts';
import { type Refusal, refusal } from '../../../kernel/errors/index.ts';
import { Gate } from './gate.ts';
import type { Ticket, WaitingLine } from './line.ts';

export interface BulkheadPolicy {
  /** Maximum number of calls in flight. */
  readonly concurrency: number;
  /** Maximum number of waiting calls. */
  readonly queue: number;
}

/** Limits a caller's calls to one module, so that a slow or absent module cannot exhaust the caller's resources. */
export class Bulkhead extends Gate {
  readonly #queue: number;

  constructor({ concurrency, queue }: BulkheadPolicy, clock: Clock) {
    super(concurrency, clock);
    this.#queue = queue;
  }

  protected override refuseToWait({ what }: Ticket, _now: number, line: WaitingLine): Refusal | undefined {
    if (line.length < this.#queue) return undefined;
    const most = `${this.concurrency} calls of ${what.module} are in flight and ${this.#queue} wait`;
    return refusal(
      'overloaded',
      `${what.module}.${what.name} was not called: ${most}, the most that its policies allow`,
    );
  }
}
