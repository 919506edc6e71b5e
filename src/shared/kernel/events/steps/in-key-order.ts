import type { InOrder } from '../in-order.ts';
import type { ReceiveStep } from './once.ts';

/** Lets an event wait until earlier events of its key are done. */
export const inKeyOrder =
  ({ inOrder }: { readonly inOrder: InOrder }): ReceiveStep =>
  (event, next) =>
    inOrder.run(event.envelope.partitionkey, () => next(event));
