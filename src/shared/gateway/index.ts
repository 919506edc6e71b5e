export { type Composition, gather } from './composition.ts';
export { openGateway } from './gateway.ts';
export { SignInLimit } from './sign-in-limit.ts';
