import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { refusal } from '../errors/index.ts';
import { fixedKeyRing, ServiceTokens } from '../identity/index.ts';
import { silentLog } from '../observability/index.ts';
import { createInternalServer, createPush, Peers } from '../transport/index.ts';
import { busCases, type OpenBus } from './bus.cases.ts';
import type { Receive, SubscriptionMap } from './bus.ts';
import { HttpBus } from './http.ts';

async function open(subscriptions: SubscriptionMap): Promise<OpenBus> {
  const tokens = new ServiceTokens(fixedKeyRing('TEST', 'a secret of more than 32 characters'));
  const receivers = new Map<string, Receive>();
  const service = {
    receive: async (module: string, events: unknown[]) => {
      const receive = receivers.get(module);
      if (!receive) throw refusal('unavailable', `${module} is away`);
      await Promise.all(events.map((event) => receive(event)));
    },
  };
  const server = createInternalServer(service as never, tokens, silentLog);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const peers = new Peers();
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await peers.close();
  };
  return {
    bus: new HttpBus(
      subscriptions,
      createPush(() => address, peers, tokens),
    ),
    attach: async (module, receive) => void receivers.set(module, receive),
    detach: async (module) => void receivers.delete(module),
    async crash() {
      await close();
      return open(subscriptions);
    },
    close,
  };
}

busCases('http', open);
