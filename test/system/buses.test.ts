import { randomUUID } from 'node:crypto';
import { moduleNames } from '../harness/kerf.ts';
import { describeWith, type ServerName } from '../harness/servers.ts';
import { systemSuite } from './suite.cases.ts';

const brokers: readonly ServerName[] = ['rabbitmq', 'kafka', 'nats'];

systemSuite({ name: 'all in-process, events by http', out: [], bus: 'http' });
systemSuite({ name: 'all out, events by http', out: moduleNames, bus: 'http' });

for (const broker of brokers) {
  describeWith(broker, `events by ${broker}`, ({ url }) => {
    const bus = () => `${url}?namespace=test-${randomUUID()}`;
    systemSuite({ name: 'all in-process', out: [], bus: bus() });
    systemSuite({ name: 'all out', out: moduleNames, bus: bus() });
  });
}
