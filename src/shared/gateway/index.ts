export { type Composition, gather } from './composition.ts';
export { openGateway } from './gateway.ts';
export { FailureLimit } from './rate-limit.ts';
