import type { Clock } from '../../context/index.ts';
import { type Refusal, refusal } from '../../errors/index.ts';
import { Gate } from './gate.ts';
import type { Ticket, WaitingLine } from './line.ts';

const usualConcurrency = 512;
const usualLongest = 8_192;

export interface AdmissionDependencies {
  /** How many calls may be in flight at once. */
  readonly concurrency?: number;
  /** How many more may wait. */
  readonly longest?: number;
  readonly clock: Clock;
}

/**
 * The server's side: sheds load in front of a module's handlers. A call that would wait in vain, as the oldest in line has
 * waited longer than it has left or the line is full, is refused while its caller can still do something else.
 */
export class Admission extends Gate {
  readonly #longest: number;

  constructor({ concurrency = usualConcurrency, longest = usualLongest, clock }: AdmissionDependencies) {
    super(concurrency, clock);
    this.#longest = longest;
  }

  protected override refuseToWait({ what, deadline }: Ticket, now: number, line: WaitingLine): Refusal | undefined {
    const waitedMs = line.oldest ? now - line.oldest.since : 0;
    const leftMs = deadline - now;
    const full = line.length >= this.#longest;
    if (waitedMs <= leftMs && !full) return undefined;
    const why = full
      ? `${line.length} calls wait already, the most that may`
      : `calls wait for ${waitedMs} ms, and it has ${leftMs} ms left`;
    return refusal('overloaded', `${what.module}.${what.name} was not begun: ${why}`, {
      retryAfter: Math.max(1, Math.ceil(waitedMs / 1_000)),
    });
  }
}
