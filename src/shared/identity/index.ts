export { bearer } from './bearer.ts';
export { FileKeyRing, fixedKeyRing, rotate } from './key-ring.ts';
export { operatorToken, sameSecret } from './operator.ts';
export { ServiceTokens } from './service-tokens.ts';
export { SessionTokens } from './session-tokens.ts';
