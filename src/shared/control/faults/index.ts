export { type EdgeFault, EdgeFaults, edgeFaultSchema } from './edge-faults.ts';
export { FaultyTransport } from './faulty.ts';
export { suffer } from './inside-faults.ts';
export { killAt } from './kill.ts';
