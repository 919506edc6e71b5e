import { fromProblem, isRefusal, toProblem } from '../errors/index.ts';
import { asCallerSees } from './as-caller-sees.ts';
import { byDeadline } from './deadlines.ts';
import type { CallRequest, Dispatch, Transport } from './transport.ts';

/**
 * Calls a module of this process. Values go through the schemas as they do over a wire, so nobody shares a mutable object;
 * a refusal is made anew from its wire form; the deadline holds.
 */
export class InProcessTransport implements Transport {
  constructor(private readonly dispatch: Dispatch) {}

  call(request: CallRequest): Promise<unknown> {
    const { operation, input, context } = request;
    return byDeadline(this.dispatch(operation.name, input, context), context.deadline, operation, (error) =>
      asCallerSees(overTheWire(error), request),
    );
  }
}

function overTheWire(error: unknown): unknown {
  return isRefusal(error) ? fromProblem(JSON.parse(JSON.stringify(toProblem(error)))) : error;
}
