import type { CallRequest, Transport } from '../calls/index.ts';
import { byDeadline, cancelledBefore, unreachableBecause } from '../calls/index.ts';
import { Cancellation } from '../context/index.ts';
import { asSentBy, type Operation, parseCompiled, parseInput } from '../contract/index.ts';
import { isBetweenProcesses, type Refusal, refusal } from '../errors/index.ts';
import type { CallerTokens } from './caller-tokens.ts';
import { toWire, type WireContext } from './wire.ts';

/** A call and its wire context. Its input passed the schema and still holds the values that the caller gave. */
export interface Outgoing extends CallRequest {
  readonly wire: WireContext;
}

/**
 * Implements the common part of all transports over a wire. Checks the input on this side too: it must refuse every value that
 * the wire would silently change, as an in-process call does. Sends the values that the caller gave: the callee adds its
 * defaults, so that a repeated call is the same call. Checks the output, since the callee may run another release.
 */
export abstract class WireTransport implements Transport {
  protected readonly tokens: CallerTokens;

  constructor(tokens: CallerTokens) {
    this.tokens = tokens;
  }

  async call(request: CallRequest): Promise<unknown> {
    const { operation } = request;
    // This cancellation belongs to this attempt alone: another attempt may follow.
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

  /** Maps the callee's refusal of this process to `unavailable`: the callee did not begin, and the caller cannot fix the cause. */
  #notAccepted(cause: Refusal, { operation, context }: CallRequest): Error {
    this.tokens.refused(context.caller, operation.module);
    return unreachableBecause(operation.module, cause, false);
  }

  abstract close(): Promise<void>;

  /**
   * Resolves with the unchecked answer. Rejects with the callee's refusal, or with `unavailable` when the connection failed.
   * Forwards the context's cancellation to the callee.
   */
  protected abstract send(call: Outgoing): Promise<unknown>;
}

function outputOf(operation: Operation, answer: unknown): unknown {
  const output = parseCompiled(operation.output, answer);
  if (output.success) return output.data;
  throw refusal('internal', `${operation.module}.${operation.name} gave an answer that does not match its contract`);
}
