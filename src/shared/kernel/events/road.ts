import { deliver } from './steps/deliver.ts';
import { handle, noteInHand, withinTime } from './steps/effect.ts';
import { inKeyOrder } from './steps/in-key-order.ts';
import { tellDispatched, tellHandled } from './steps/listen.ts';
import { once } from './steps/once.ts';
import { storeInOutbox, wakeRelay } from './steps/store.ts';
import { traceDelivery, traceEffect, tracePublished } from './steps/trace.ts';

/**
 * The road of an event: its steps, in their order. Each entry makes a step `(event, next)` for its module: the step does its part, and
 * `next` does the rest.
 *
 * Between `publish` and `dispatch`, the relay reads the outbox: a dispatcher for each recipient forms batches (`outbox-dispatcher.ts`). A broker carries them to the leader of the subscriber. `mitt` and `http` push them to any of its
 * processes, by a call of the kernel's operation `receive` (`push.ts`). Then the inbox takes them (`inbox.ts`).
 */
export const eventRoad = {
  /** In the unit of work that publishes. */
  publish: [tracePublished, storeInOutbox, wakeRelay],
  /** From the outbox to the bus (`bus.ts`), for each batch of a recipient. */
  dispatch: [traceDelivery, tellDispatched, deliver],
  /** At the subscriber. The envelope is read already; a text that is no event has become a dead letter. `once` starts `effect`. */
  receive: [inKeyOrder, once],
  /** In the unit of work of the effect: at the first attempt, and at each retry (`retry-queue.ts`). */
  effect: [traceEffect, tellHandled, noteInHand, withinTime, handle],
};
