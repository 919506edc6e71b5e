export { commandMigrations } from './commands.ts';
export { Dispatcher } from './dispatcher.ts';
export {
  type Handover,
  type LeadTaken,
  leadGivenUpSchema,
  leadTakenSchema,
  type SagasHandedOver,
  sagasSchema,
} from './handover.ts';
export type { Manifest } from './manifest.ts';
export {
  defineModule,
  type Handler,
  type Handlers,
  inSteps,
  type ModuleDefinition,
  type ModuleImplementation,
  type ModuleUnit,
  on,
  type Steps,
  type Timer,
} from './module.ts';
export { migrationsOf, type OpenModule, openModule } from './open.ts';
export { remoteModule } from './remote-module.ts';
export { clock, log, type Token, token } from './tokens.ts';
