import { asSentBy, parseInput } from '../contract/index.ts';
import { fromProblem, isRefusal, refusal, toProblem } from '../errors/index.ts';
import type { CallRequest, Dispatch, Transport } from './transport.ts';
import { maximumBodyBytes } from './transport.ts';

/**
 * Says how closely an in-process call resembles a call over a wire. `strict` writes values as JSON, reads them again, and
 * enforces the size limit. `fast` applies the schemas only; in-process.test.ts pins the remaining differences.
 */
export type Parity = 'strict' | 'fast';

/**
 * Calls a module of this process. The dispatcher passes values through the schemas as they pass over a wire, so that caller and callee
 * share no mutable object; it also enforces the deadline, and copies a refusal from its wire form.
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
    throw asLocalCallerSees(error, request);
  }
}

/** Maps an error to the error that a local caller receives. Copies a refusal from its wire form. */
export function asLocalCallerSees(error: unknown, request: CallRequest): unknown {
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
