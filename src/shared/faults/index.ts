export { type EdgeFault, EdgeFaults, edgeFaultSchema } from './edge-faults.ts';
export { reach, setTrap } from './faults.ts';
export { killAt } from './kill.ts';
