import { asSentBy, parseInput } from '../contract/index.ts';
import { fromProblem, isRefusal, refusal, toProblem } from '../errors/index.ts';
import type { CallRequest, Dispatch, Transport } from './transport.ts';
import { maximumBodyBytes } from './wire.ts';

/**
 * How closely a call in-process is like one over a wire. `strict`: values are written as JSON and read again, and have its limit
 * in size. `fast`: they go through the schemas alone; what then remains different is pinned in in-process.test.ts.
 */
export type Parity = 'strict' | 'fast';

/**
 * Calls a module of this process. Values go through the schemas as they do over a wire, so nobody shares a mutable object;
 * a refusal is made anew from its wire form; the deadline holds.
 */
export class InProcessTransport implements Transport {
  private readonly dispatch: Dispatch;
  private readonly parity: Parity;

  constructor(dispatch: Dispatch, parity: Parity = 'fast') {
    this.dispatch = dispatch;
    this.parity = parity;
  }

  call(request: CallRequest): Promise<unknown> {
    if (this.parity === 'strict') return strictly(this.dispatch, request);
    return this.dispatch(request.operation.name, request.input, request.context, request);
  }
}

async function strictly(dispatch: Dispatch, request: CallRequest): Promise<unknown> {
  const { toCaller: _, ...unseen } = request;
  const { operation, input, context } = request;
  try {
    const sent = asJson(asSentBy(operation.input)(input, parseInput(operation.input, input)), 'input');
    return asJson(await dispatch(operation.name, sent, context, unseen), 'answer');
  } catch (error) {
    throw asOwnCallerSees(error, request);
  }
}

/** What an error is to a caller of this process: a refusal made anew from its wire form. */
export function asOwnCallerSees(error: unknown, request: CallRequest): unknown {
  const remade = isRefusal(error) ? fromProblem(JSON.parse(JSON.stringify(toProblem(error)))) : error;
  return request.toCaller?.(remade, request) ?? remade;
}

function asJson(value: unknown, what: 'input' | 'answer'): unknown {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > maximumBodyBytes) {
    throw refusal('body-too-large', `the ${what} is over ${maximumBodyBytes} bytes`);
  }
  return JSON.parse(text);
}
