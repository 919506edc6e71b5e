export { CallFaults } from './call-faults.ts';
export { faults } from './faults.ts';
export { faultStep } from './faulty.ts';
