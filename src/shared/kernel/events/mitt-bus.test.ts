import { refusal } from '../errors/index.ts';
import { busCases, type OpenedBus } from './bus.cases.ts';
import type { SubscriptionMap } from './bus.ts';
import { MittBus } from './mitt-bus.ts';

const nobody = {
  deliver: async (module: string) => {
    throw refusal('unavailable', `${module} is away`);
  },
};

async function open(subscriptions: SubscriptionMap): Promise<OpenedBus> {
  const bus = new MittBus(subscriptions, nobody);
  const leave = new Map<string, () => Promise<void>>();
  return {
    bus,
    attach: async (module, receive) => void leave.set(module, await bus.subscribe(module, receive)),
    detach: async (module) => leave.get(module)?.(),
    crash: () => open(subscriptions),
    close: () => bus.close(),
  };
}

busCases('mitt', open);
