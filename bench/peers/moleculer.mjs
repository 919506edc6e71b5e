import { once } from 'node:events';
import { promisify } from 'node:util';
import { ServiceBroker, Transporters } from 'moleculer';
import { price } from './work.mjs';

const line = {
  type: 'object',
  strict: true,
  props: {
    sku: { type: 'string', min: 1, max: 64 },
    quantity: { type: 'number', integer: true, min: 1, max: 1_000 },
  },
};
const service = {
  name: 'sample',
  actions: {
    price: {
      params: {
        $$strict: true,
        orderId: 'uuid',
        memberId: 'uuid',
        lines: { type: 'array', min: 1, max: 100, items: line },
      },
      handler: ({ params }) => price(params),
    },
  },
};

/** Moleculer's TCP transporter on the loopback interface. It has no setting for its listen address. */
class LoopbackTcp extends Transporters.TCP {
  async startTcpServer() {
    const port = await super.startTcpServer();
    const { server } = this.reader;
    await promisify(server.close.bind(server))();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return port;
  }
}

/** Removes the handlers for the end of the process, because the benchmark owns the process. */
const createBroker = (options) => new ServiceBroker({ logger: false, skipProcessEventRegistration: true, ...options });

async function openLocal() {
  const broker = createBroker({ nodeID: 'local' });
  broker.createService(service);
  await broker.start();
  return { name: 'moleculer, local', call: (input) => broker.call('sample.price', input), close: () => broker.stop() };
}

async function openTcp() {
  const callee = new LoopbackTcp({ udpDiscovery: false });
  const serving = createBroker({ nodeID: 'serving', transporter: callee });
  serving.createService(service);
  await serving.start();
  const urls = [`tcp://127.0.0.1:${callee.opts.port}/serving`];
  const calling = createBroker({ nodeID: 'calling', transporter: new LoopbackTcp({ udpDiscovery: false, urls }) });
  await calling.start();
  await calling.waitForServices('sample', 20_000);
  return {
    name: 'moleculer, tcp',
    call: (input) => calling.call('sample.price', input),
    async close() {
      await calling.stop();
      await serving.stop();
    },
  };
}

export const open = () => Promise.all([openLocal(), openTcp()]);
