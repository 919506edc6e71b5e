import { deep } from '../harness/deep.ts';
import { moduleNames } from '../harness/kerf.ts';
import { systemSuite } from './suite.cases.ts';

// With the one of `transports.test.ts`, these cover every kind of call: within a process, into it, out of it and between others; by HTTP
// and by gRPC; to one instance and to several.
systemSuite({ name: 'all in-process', out: [] });
systemSuite({ name: 'all out', out: moduleNames });

for (const name of moduleNames) systemSuite({ name: `${name} out`, out: [name] }, deep);
