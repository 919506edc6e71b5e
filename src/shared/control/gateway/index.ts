export { type Gateway, openGateway } from './gateway.ts';
export { addressOf, listen, shownHost } from './listen.ts';
export { readTrustedProxies } from './proxies.ts';
export { Shutdown } from './shutdown.ts';
