import { randomUUID } from 'node:crypto';
import { deep } from '../harness/deep.ts';
import { moduleNames } from '../harness/kerf.ts';
import { describeWith, type ServerName } from '../harness/servers.ts';
import { systemSuite } from './suite.cases.ts';

const brokers: readonly ServerName[] = ['rabbitmq', 'nats'];

systemSuite({ name: 'all out, by gRPC, events by http', out: moduleNames, via: 'grpc', bus: 'http' });
systemSuite({ name: 'all out, by gRPC', out: moduleNames, via: 'grpc' }, deep);
systemSuite({
  name: 'two instances each of orders, inventory and payments',
  out: ['orders', 'inventory', 'payments'],
  via: 'http?instances=2',
});

for (const broker of brokers) {
  describeWith(broker, `calls by ${broker}`, ({ url }) => {
    const bus = () => `${url}?namespace=test-${randomUUID()}`;
    systemSuite({ name: 'all out, by queue', out: moduleNames, via: 'queue', bus: bus() });
    const twice = {
      name: 'two instances of payments, by queue',
      out: ['payments'],
      via: 'queue?instances=2',
      bus: bus(),
    };
    systemSuite(twice, deep);
  });
}
