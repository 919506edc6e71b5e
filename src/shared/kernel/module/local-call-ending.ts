import { asLocalCallerSees, type CallRequest, type Ending, type ServedCounter } from '../calls/index.ts';
import type { CancelReason } from '../context/index.ts';
import type { CallsInFlight } from './calls-in-flight.ts';

/** Ends the calls of one operation by local callers: checks the output, counts the call, and maps its error. */
export class LocalCallEnding implements Ending<unknown, CallRequest> {
  private readonly output: (output: unknown) => unknown;
  private readonly refusal: (error: unknown) => unknown;
  private readonly inFlight: CallsInFlight;
  private readonly counter: ServedCounter | undefined;

  constructor(
    output: (output: unknown) => unknown,
    refusal: (error: unknown) => unknown,
    inFlight: CallsInFlight,
    counter: ServedCounter | undefined,
  ) {
    this.output = output;
    this.refusal = refusal;
    this.inFlight = inFlight;
    this.counter = counter;
  }

  done(output: unknown, request: CallRequest): unknown {
    this.inFlight.ended();
    let answer: unknown;
    try {
      answer = this.output(output);
    } catch (error) {
      throw this.#counted(error, request);
    }
    if (this.counter && !hasGivenUp(request)) this.counter.answered(request.context.caller);
    return answer;
  }

  failed(error: unknown, request: CallRequest): unknown {
    this.inFlight.ended();
    return this.#counted(this.refusal(error), request);
  }

  cancelled(why: CancelReason, { context }: CallRequest): void {
    this.counter?.cancelled(context.caller, why);
  }

  #counted(error: unknown, request: CallRequest): unknown {
    if (this.counter && !hasGivenUp(request)) this.counter.failed(request.context.caller, error);
    return asLocalCallerSees(error, request);
  }
}

function hasGivenUp({ context }: CallRequest): boolean {
  return context.cancellation?.cancelled === true;
}
