export { type Gateway, openGateway } from './gateway.ts';
export type { Conditions } from './system.ts';
