import type { Operation } from '../../contract/index.ts';
import { isRefusal } from '../../errors/index.ts';
import { isNotSent } from './delivery-status.ts';

/**
 * Whether another attempt is safe, and may help. What was refused as `overloaded` was not begun; what was `unavailable` may
 * have been done, unless it was never sent. Any other error would be the same again, or nobody waits for the answer.
 */
export function mayRetry(kind: Operation['kind'], hasKey: boolean, error: unknown): boolean {
  if (isRefusal(error, 'overloaded')) return true;
  if (!isRefusal(error, 'unavailable')) return false;
  return kind === 'query' || hasKey || isNotSent(error);
}
