import { isRefusal } from '../errors/index.ts';
import type { CallRequest } from './transport.ts';

/**
 * What a failed call is to its caller. A module that sends another one what it does not take has a fault of its own: its
 * caller in turn gave no bad input. To the module's own resources, and to the gateway, bad input is just that.
 */
export function asCallerSees(error: unknown, { operation, context }: CallRequest): unknown {
  if (!isRefusal(error, 'invalid-input')) return error;
  if (context.caller === operation.module || context.caller === 'gateway') return error;
  const what = `${operation.module}.${operation.name}`;
  return new Error(`${context.caller} sent ${what} what it does not take: ${error.message}`, { cause: error });
}
