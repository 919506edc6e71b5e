import { randomUUID } from 'node:crypto';
import { deep } from '../harness/deep.ts';
import { moduleNames } from '../harness/kerf.ts';
import { describeWith, type ServerName } from '../harness/servers.ts';
import { systemSuite } from './suite.cases.ts';

const brokers: readonly ServerName[] = ['rabbitmq', 'nats'];

const some = ['orders', 'inventory', 'payments'];

// Few processes show what many show: `test/modules/same-values.test.ts` sends the values of all contracts by gRPC.
systemSuite({
  name: 'two instances each of orders, inventory and payments, by gRPC, events by http',
  out: some,
  via: 'grpc?instances=2',
  bus: 'http',
});
systemSuite({ name: 'two instances each of orders, inventory and payments', out: some, via: 'http?instances=2' }, deep);
systemSuite({ name: 'all out, by gRPC, events by http', out: moduleNames, via: 'grpc', bus: 'http' }, deep);
systemSuite({ name: 'all out, by gRPC', out: moduleNames, via: 'grpc' }, deep);

for (const broker of brokers) {
  describeWith(broker, `calls by ${broker}`, ({ url }) => {
    const bus = () => `${url}?namespace=test-${randomUUID()}`;
    systemSuite({
      name: 'orders, inventory, payments and notifications out, by queue',
      out: [...some, 'notifications'],
      via: 'queue',
      bus: bus(),
    });
    systemSuite({ name: 'all out, by queue', out: moduleNames, via: 'queue', bus: bus() }, deep);
    const twice = {
      name: 'two instances of payments, by queue',
      out: ['payments'],
      via: 'queue?instances=2',
      bus: bus(),
    };
    systemSuite(twice, deep);
  });
}
