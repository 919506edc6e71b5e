import type { Clock } from '../clock/index.ts';
import { type Refusal, refusal } from '../errors/index.ts';
import { Gate } from './gate.ts';
import type { Line, Ticket } from './line.ts';

const usualConcurrency = 512;

/**
 * The server's side: sheds load in front of a module's handlers. A call that would wait in vain, as the oldest in line has
 * waited longer than it has left, is refused while its caller can still do something else.
 */
export class Admission extends Gate {
  constructor({ concurrency = usualConcurrency, clock }: { concurrency?: number; clock: Clock }) {
    super(concurrency, clock);
  }

  protected override refuseToWait({ what, deadline }: Ticket, now: number, line: Line): Refusal | undefined {
    const waitedMs = line.oldest ? now - line.oldest.since : 0;
    const leftMs = deadline - now;
    if (waitedMs <= leftMs) return undefined;
    const why = `calls wait for ${waitedMs} ms, and it has ${leftMs} ms left`;
    return refusal('overloaded', `${what.module}.${what.name} was not begun: ${why}`, {
      retryAfter: Math.max(1, Math.ceil(waitedMs / 1_000)),
    });
  }
}
