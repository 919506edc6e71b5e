import { randomUUID } from 'node:crypto';
import { kernelOperation } from '../kernel-operations.ts';
import type { CallRequest } from '../transport.ts';

/** Adds an idempotency key to a command that has none, so that a retry over the network is safe. */
export function withKey(request: CallRequest): CallRequest {
  const { operation, context } = request;
  if (operation.kind === 'query' || context.idempotencyKey || kernelOperation(operation.name)) return request;
  return { ...request, context: { ...context, idempotencyKey: randomUUID() } };
}
