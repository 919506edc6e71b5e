export { type EdgeFault, EdgeFaults, edgeFaultSchema } from './edge-faults.ts';
export { suffer } from './inside-faults.ts';
export { killAt } from './kill.ts';
export { pointKinds, reach, setTrap } from './points.ts';
