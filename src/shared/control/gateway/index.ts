export { createGateway, type Gateway, openGateway } from './gateway.ts';
export { headersOfAll } from './headers-of-all.ts';
export type { EndedRequest } from './request-end.ts';
export type { Conditions } from './system.ts';
