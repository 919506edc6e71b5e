export { enrolAtParent, enrolsAtParent } from './enrolment.ts';
export { heldBackVariable, toService } from './messages.ts';
export { joinParent } from './parent.ts';
export { migrationsIn, namedMigrationsSchema } from './release.ts';
export type { ServiceProcess } from './service-process.ts';
export { Services } from './services.ts';
