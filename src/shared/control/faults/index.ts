export { CallFaults } from './call-faults.ts';
export { faultStep } from './faulty.ts';
export { killAt } from './kill.ts';
export { injectFault } from './process-faults.ts';
