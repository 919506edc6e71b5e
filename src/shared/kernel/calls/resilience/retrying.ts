import type { Operation } from '../../contract/index.ts';
import { isRefusal } from '../../errors/index.ts';
import { isNotSent } from './delivery-status.ts';

/**
 * Returns whether another attempt is safe and may help. A call refused as `overloaded` has not begun. A call refused as
 * `unavailable` may have taken effect, unless it was never sent. Any other error would occur again, or no caller waits any more.
 */
export function mayRetry(kind: Operation['kind'], hasKey: boolean, error: unknown): boolean {
  if (isRefusal(error, 'overloaded')) return true;
  if (!isRefusal(error, 'unavailable')) return false;
  return kind === 'query' || hasKey || isNotSent(error);
}
