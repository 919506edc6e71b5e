export { ModulesHere } from './modules-here.ts';
export { enrolAtParent, enrolledVariable, enrolsAtParent } from './processes/enrolment.ts';
export { callsPausedVariable, toModuleProcess } from './processes/messages.ts';
export { ModuleProcess } from './processes/module-process.ts';
export { ModuleProcesses } from './processes/module-processes.ts';
export { joinParent } from './processes/parent.ts';
export { migrationsIn } from './processes/release.ts';
export type { SharedState } from './processes/shared-state.ts';
export { answersFor, drainedIn, drainWithinMs, type Replica, replicaHere, replicaIn } from './replicas.ts';
