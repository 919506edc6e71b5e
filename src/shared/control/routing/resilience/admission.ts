import type { Clock } from '../../../kernel/context/index.ts';
import { type Refusal, refusal } from '../../../kernel/errors/index.ts';
import { Gate } from './gate.ts';
import type { Ticket, WaitingLine } from './line.ts';

const defaultConcurrency = 512;
const defaultLongest = 8_192;

export interface AdmissionDependencies {
  /** Maximum number of calls in flight. */
  readonly concurrency?: number;
  /** Maximum number of waiting calls. */
  readonly longest?: number;
  readonly clock: Clock;
}

/**
 * Sheds load in front of a module's handlers, on the server's side. It refuses a call at once when the line is full, or when the
 * oldest waiting call has waited longer than the new call has left. The caller still has time for an alternative.
 */
export class Admission extends Gate {
  readonly #longest: number;

  constructor({ concurrency = defaultConcurrency, longest = defaultLongest, clock }: AdmissionDependencies) {
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
