export type { About } from './about.ts';
export { commandMigrations } from './commands.ts';
export { Dispatcher } from './dispatcher.ts';
export {
  givenUpSchema,
  type Handover,
  type SagasHandedOver,
  sagasSchema,
  type Taken,
  takenSchema,
} from './handover.ts';
export { knownModule } from './known.ts';
export {
  defineModule,
  type Handler,
  type Handlers,
  type Inside,
  inSteps,
  type ModuleDefinition,
  type ModuleUnit,
  on,
  type Steps,
  type Timer,
} from './module.ts';
export { migrationsOf, type OpenModule, openModule } from './open.ts';
export { clock, log, type Token, token } from './tokens.ts';
