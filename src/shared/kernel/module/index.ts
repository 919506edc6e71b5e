/** A module puts a call to a server that is none of Kerf's into a span by these. `fetch` has one without them. */
export { SpanKind, traced } from '../telemetry/index.ts';
export { commandMigrations } from './commands.ts';
export type { ModuleContainer } from './container.ts';
export { Dispatcher } from './dispatcher.ts';
export { manifestSchema } from './manifest.ts';
export {
  defineModule,
  handle,
  inSteps,
  type ModuleDefinition,
  type ModuleImplementation,
  type ModuleUnit,
  on,
  type Steps,
  type Timer,
} from './module.ts';
export { migrationsOf, type OpenModule, openModule } from './open.ts';
export { pagesOf } from './pages.ts';
export { remoteModule } from './remote-module.ts';
export { clock, log, type Token, token } from './tokens.ts';
