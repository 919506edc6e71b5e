export { reach, setTrap } from './faults.ts';
export { killAt } from './kill.ts';
