import type { Bulkhead } from '../resilience/bulkhead.ts';
import type { RoadStep } from '../transport.ts';

/** Limits the calls of one caller to the module. A call over the limit waits, or is refused as `overloaded`. */
export const bulkhead =
  ({ bulkhead }: { readonly bulkhead: Bulkhead }): RoadStep =>
  (call, next) => {
    const { deadline, cancellation } = call.context;
    return bulkhead.run(() => next(call), { deadline, cancellation, what: call.operation });
  };
