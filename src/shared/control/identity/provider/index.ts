export { openProvider, type ProviderSettings } from './open-provider.ts';
export type { ProviderSessions } from './provider-sessions.ts';
