export { Instance, type InstanceParts } from './instance.ts';
export { livingInstances } from './store.ts';
export { instanceMigrations } from './tables.ts';
