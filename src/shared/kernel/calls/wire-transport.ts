import { Cancellation } from '../context/index.ts';
import { asSentBy, type Operation, parseCompiled, parseInput } from '../contract/index.ts';
import { isBetweenProcesses, type Refusal, refusal } from '../errors/index.ts';
import type { ServiceTokens } from '../identity/index.ts';
import { byDeadline, cancelledBefore } from './deadlines.ts';
import { markNotSent } from './resilience/delivery-status.ts';
import type { CallRequest, Transport } from './transport.ts';
import { toWire, type WireContext } from './wire.ts';

/** A call whose input has passed the schema and is as the caller gave it, and what travels beside it. */
export interface Outgoing extends CallRequest {
  readonly wire: WireContext;
}

/**
 * What every way over a wire has in common. Checks the input on this side as well: what the wire would silently change must be
 * refused as it is in-process. Sends what was given: the callee adds its defaults, so that a call that is repeated is the same call.
 * Checks the output, which another release of the callee may have made.
 */
export abstract class WireTransport implements Transport {
  protected readonly tokens: ServiceTokens;

  constructor(tokens: ServiceTokens) {
    this.tokens = tokens;
  }

  async call(request: CallRequest): Promise<unknown> {
    const { operation } = request;
    // Of this attempt: another one may follow.
    const context = { ...request.context, cancellation: new Cancellation(request.context.cancellation) };
    try {
      const input = asSentBy(operation.input)(request.input, parseInput(operation.input, request.input));
      const travelling = toWire(context, this.tokens);
      const wire = 'then' in travelling ? await travelling : travelling;
      if (context.cancellation.cancelled) throw cancelledBefore(operation);
      const answer = await byDeadline(this.send({ operation, input, context, wire }), context, operation);
      return outputOf(operation, answer);
    } catch (failed) {
      const error = isBetweenProcesses(failed) ? this.#notAccepted(failed, request) : failed;
      throw request.toCaller?.(error, request) ?? error;
    }
  }

  /** The callee did not begin, since it does not accept this process: nothing that the caller of the operation could mend. */
  #notAccepted(cause: Refusal, { operation, context }: CallRequest): Error {
    this.tokens.refused(context.caller, operation.module);
    return markNotSent(refusal('unavailable', `${operation.module} cannot be reached`, {}, { cause }));
  }

  abstract close(): Promise<void>;

  /**
   * Resolves with the answer as it came, rejects with the callee's refusal, or with `unavailable` when the connection failed.
   * Tells the callee when the context's cancellation is told.
   */
  protected abstract send(call: Outgoing): Promise<unknown>;
}

function outputOf(operation: Operation, answer: unknown): unknown {
  const output = parseCompiled(operation.output, answer);
  if (output.success) return output.data;
  throw refusal('internal', `${operation.module}.${operation.name} answered what its contract does not say`);
}
