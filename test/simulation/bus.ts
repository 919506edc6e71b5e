import { createCall } from '../../src/shared/kernel/calls/index.ts';
import { type Bus, createPush } from '../../src/shared/kernel/events/index.ts';
import type { Life } from './host.ts';
import type { World } from './world.ts';

/** Creates the bus of one process. It delivers events by calls; an event is delivered when the recipient has answered. */
export function busOf(life: Life, world: World): Bus {
  const push = createPush((operation, caller) => createCall(operation, caller, () => world.network.transport(life)));
  return {
    recipients: (type) => world.subscriptions.recipients(type),
    async deliver(recipient, events) {
      const delivery = push(recipient, events);
      if (world.flaw !== 'marks an event as delivered before its delivery') await delivery;
      else delivery.catch(() => {});
    },
    async subscribe(module) {
      world.leads(life, module);
      return async () => {};
    },
    backlog: async () => 0,
    async close() {},
  };
}
