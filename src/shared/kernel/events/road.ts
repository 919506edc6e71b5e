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
 * Between `publish` and `dispatch`, the relay of the publisher's leader reads the outbox: a dispatcher for each recipient forms batches
 * (`outbox-dispatcher.ts`). With a broker, the leader of the subscriber receives them: the one process of its module that delivers events.
 * `http` calls the kernel's operation `receive` in any process of the subscriber (`push.ts`). `mitt` passes them to a leader in this process,
 * and otherwise does as `http`. Then the inbox handles them (`inbox.ts`).
 */
export const eventRoad = {
  /** In the unit of work that publishes. */
  publish: [tracePublished, storeInOutbox, wakeRelay],
  /** From the outbox to the bus (`bus.ts`), for each batch of a recipient. */
  dispatch: [traceDelivery, tellDispatched, deliver],
  /** At the subscriber, after `inbox.ts` has parsed the envelope. `once` opens a unit of work and runs `effect` inside it. */
  receive: [inKeyOrder, once],
  /** In the unit of work of the effect: at the first attempt, and at each retry (`retry-queue.ts`). */
  effect: [traceEffect, tellHandled, noteInHand, withinTime, handle],
};
