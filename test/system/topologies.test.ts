import { topologies } from '../harness/kerf.ts';
import { systemSuite } from './suite.cases.ts';

for (const topology of topologies) systemSuite(topology);
