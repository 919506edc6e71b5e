export { answersOf, type Copy, copyHere, copyOf, drainedIn, drainWithinMs } from './copies.ts';
export { ModulesHere } from './modules-here.ts';
export { enrolAtParent, enrolledVariable, enrolsAtParent } from './services/enrolment.ts';
export { heldBackVariable, toService } from './services/messages.ts';
export { joinParent } from './services/parent.ts';
export { migrationsIn } from './services/release.ts';
export { ServiceProcess } from './services/service-process.ts';
export { Services } from './services/services.ts';
