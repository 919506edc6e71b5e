/** A module puts a call to a server that is none of Kerf's into a span by these. `fetch` has one without them. */
export { SpanKind, traced } from '../telemetry/index.ts';
export { type Assembly, assemble } from './assembly.ts';
export { commandMigrations } from './commands.ts';
export type { ModuleContainer } from './container.ts';
export { Dispatcher } from './dispatcher.ts';
export { seedOnce } from './housekeeping.ts';
export { manifestSchema } from './manifest.ts';
export {
  type DefinedModule,
  defineModule,
  handle,
  inSteps,
  type ModuleDefinition,
  type ModuleImplementation,
  type ModuleUnit,
  on,
  type Steps,
  type Timer,
  type UsedContracts,
} from './module.ts';
export { migrationsOf, type OpenModule, openModule } from './open.ts';
export { pagesOf } from './pages.ts';
export { remoteModule } from './remote-module.ts';
export { startTimers } from './timers.ts';
export { clock, log, type Token, token } from './tokens.ts';
