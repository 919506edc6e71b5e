import { handle, noteInHand, withinTime } from './steps/effect.ts';
import { inKeyOrder } from './steps/in-key-order.ts';
import { once } from './steps/once.ts';
import { storeInOutbox, wakeRelay } from './steps/store.ts';

/**
 * The road of an event: its steps, in their order. Each entry makes a step `(event, next)` for its module: the step does its part, and
 * `next` does the rest.
 *
 * Between `publish` and `receive`, the relay reads the outbox: a dispatcher for each recipient (`outbox-dispatcher.ts`) gives batches in
 * order to the bus (`bus.ts`). A broker carries them to the leader of the subscriber. `mitt` and `http` push them to any of its
 * processes, by a call of the kernel's operation `receive` (`push.ts`). Then the inbox takes them (`inbox.ts`).
 */
export const eventRoad = {
  /** In the unit of work that publishes, for each recipient. The event is encoded already (`envelope.ts`). */
  publish: [storeInOutbox, wakeRelay],
  /** At the subscriber. The envelope is read already; a text that is no event has become a dead letter. `once` starts `effect`. */
  receive: [inKeyOrder, once],
  /** In the unit of work of the effect: at the first attempt, and at each retry (`retry-queue.ts`). */
  effect: [noteInHand, withinTime, handle],
};
