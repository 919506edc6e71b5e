export { Instance, type InstanceDependencies, LeadLost } from './instance.ts';
export { clocksDifferMs } from './lease.ts';
export { livingInstances } from './store.ts';
export { instanceMigrations } from './tables.ts';
