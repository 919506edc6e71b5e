import { isRefusal } from '../errors/index.ts';
import type { CallRequest } from './transport.ts';

/**
 * Maps the error of a failed call to the error that its caller receives. A module that sends invalid input to another module
 * receives a plain `Error`: the fault is its own, and its own caller gave valid input. The module's own resources and the
 * gateway receive `invalid-input` unchanged.
 */
export function asCallerSees(error: unknown, { operation, context }: CallRequest): unknown {
  if (!isRefusal(error, 'invalid-input')) return error;
  if (context.caller === operation.module || context.caller === 'gateway') return error;
  const what = `${operation.module}.${operation.name}`;
  return new Error(`${context.caller} called ${what} with invalid input: ${error.message}`, { cause: error });
}
