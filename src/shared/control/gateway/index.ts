export { type Gateway, openGateway } from './gateway.ts';
export type { EndedRequest } from './request-end.ts';
export type { Conditions } from './system.ts';
