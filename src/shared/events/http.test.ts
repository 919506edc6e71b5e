import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { refusal } from '../errors/index.ts';
import { fixedKeyRing, ServiceTokens } from '../identity/index.ts';
import { silentLog } from '../observability/index.ts';
import { createInternalServer, createPush, Peers } from '../transport/index.ts';
import { busCases } from './bus.cases.ts';
import type { Receive } from './bus.ts';
import type { Envelope } from './envelope.ts';
import { HttpBus } from './http.ts';

busCases('http', async (subscriptions) => {
  const tokens = new ServiceTokens(fixedKeyRing('TEST', 'a secret of more than 32 characters'));
  const receivers = new Map<string, Receive>();
  const service = {
    receive: async (module: string, event: Envelope) => {
      const receive = receivers.get(module);
      if (!receive) throw refusal('unavailable', `${module} is away`);
      await receive(event);
    },
  };
  const server = createInternalServer(service as never, tokens, silentLog);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const peers = new Peers();
  return {
    bus: new HttpBus(
      subscriptions,
      createPush(() => address, peers, tokens),
    ),
    attach: async (module, receive) => void receivers.set(module, receive),
    detach: async (module) => void receivers.delete(module),
    async close() {
      await peers.close();
      server.closeAllConnections();
      server.close();
    },
  };
});
