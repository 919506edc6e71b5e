import { refusal } from '../errors/index.ts';
import { busCases } from './bus.cases.ts';
import { MittBus } from './mitt.ts';

busCases('mitt', async (subscriptions) => {
  const nobody = {
    deliver: async (module: string) => {
      throw refusal('unavailable', `${module} is away`);
    },
  };
  const bus = new MittBus(subscriptions, nobody);
  const leave = new Map<string, () => Promise<void>>();
  return {
    bus,
    attach: async (module, receive) => void leave.set(module, await bus.subscribe(module, receive)),
    detach: async (module) => leave.get(module)?.(),
    close: () => bus.close(),
  };
});
