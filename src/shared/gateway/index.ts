export { type Composition, type CompositionParts, gather } from './composition.ts';
export { type Gateway, openGateway } from './gateway.ts';
export { describeApi } from './openapi.ts';
export { FailureLimit } from './rate-limit.ts';
