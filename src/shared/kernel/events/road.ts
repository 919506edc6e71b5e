import { handle, noteInHand, withinTime } from './steps/effect.ts';
import { inKeyOrder } from './steps/in-key-order.ts';
import { once } from './steps/once.ts';
import { store, wakeRelay } from './steps/store.ts';

/**
 * The road of an event: its steps, in their order, in three parts. A step is a function `(event, next)`. Each part is composed once for
 * its module, and ends where the next place takes over.
 *
 * Between `publish` and `receive`, the relay reads the outbox: a dispatcher for each recipient (`outbox-dispatcher.ts`) gives batches in
 * order to the bus (`bus.ts`), and the bus carries them to the inbox of the subscriber (`inbox.ts`).
 */
export const eventRoad = {
  /** In the unit of work that publishes, for each recipient. The event is encoded already (`envelope.ts`). */
  publish: [store, wakeRelay],
  /** In the process that leads the subscriber. The envelope is read already; what is no event has become a dead letter. */
  receive: [inKeyOrder, once],
  /** In the unit of work of the effect: at the first attempt, and at each retry (`retry-queue.ts`). */
  effect: [noteInHand, withinTime, handle],
};
