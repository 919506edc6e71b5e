import { fromProblem, toProblem } from '../errors/index.ts';
import { byDeadline } from './deadlines.ts';
import type { CallRequest, Dispatch, Transport } from './transport.ts';

/**
 * Calls a module of this process. Values go through the schemas as they do over a wire, so nobody shares a mutable object;
 * a refusal is made anew from its wire form; the deadline holds.
 */
export class InProcessTransport implements Transport {
  readonly kind = 'in-process';

  constructor(private readonly dispatch: Dispatch) {}

  async call({ operation, input, context }: CallRequest): Promise<unknown> {
    try {
      return await byDeadline(this.dispatch(operation.name, input, context), context.deadline, operation);
    } catch (error) {
      throw fromProblem(JSON.parse(JSON.stringify(toProblem(error))));
    }
  }

  async close(): Promise<void> {}
}
