import { openLoopback } from '../../adapters/http/loopback.scene.ts';
import { createCall } from '../calls/index.ts';
import { refusal } from '../errors/index.ts';
import { busCases, type OpenedBus } from './bus.cases.ts';
import type { Receive, SubscriptionMap } from './bus.ts';
import { parseEvent } from './envelope.ts';
import { createPush } from './push.ts';
import { PushBus } from './push-bus.ts';

async function open(subscriptions: SubscriptionMap): Promise<OpenedBus> {
  const receivers = new Map<string, Receive>();
  const loopback = await openLoopback(async (module, _operation, input) => {
    const receive = receivers.get(module);
    if (!receive) throw refusal('unavailable', `${module} is away`);
    const { events } = input as { events: string[] };
    await Promise.all(events.map((event) => receive(parseEvent(event))));
    return {};
  });
  const links = new Map(subscriptions.modules.map((module) => [module, loopback.link(module)]));
  const push = createPush((operation, caller) => createCall(operation, caller, () => links.get(operation.module)!));
  return {
    bus: new PushBus(subscriptions, push),
    attach: async (module, receive) => void receivers.set(module, receive),
    detach: async (module) => void receivers.delete(module),
    async crash() {
      await loopback.close();
      return open(subscriptions);
    },
    close: () => loopback.close(),
  };
}

busCases('http', open);
