import { randomUUID } from 'node:crypto';
import { deep } from '../harness/deep.ts';
import { moduleNames } from '../harness/kerf.ts';
import { describeWith, type ServerName } from '../harness/servers.ts';
import { systemSuite } from './suite.cases.ts';

const brokers: readonly ServerName[] = ['rabbitmq', 'kafka', 'nats'];

systemSuite({ name: 'all in-process, events by http', out: [], bus: 'http' }, deep);
systemSuite({ name: 'all out, events by http', out: moduleNames, bus: 'http' }, deep);

for (const broker of brokers) {
  describeWith(broker, `events by ${broker}`, ({ url }) => {
    const bus = () => `${url}?namespace=test-${randomUUID()}`;
    systemSuite({ name: 'all in-process', out: [], bus: bus() }, deep);
    systemSuite({ name: 'all out', out: moduleNames, bus: bus() }, deep);
    // `transports.test.ts` has the other two, with their calls by queue.
    const some = { name: 'orders and notifications out', out: ['orders', 'notifications'], bus: bus() };
    systemSuite(some, broker === 'kafka' ? {} : deep);
  });
}
