export { addressOf, listen, shownHost } from './listen.ts';
export { Shutdown } from './shutdown.ts';
export {
  clientAddress,
  clientNetwork,
  noProxies,
  peerIsTrusted,
  readTrustedProxies,
  type TrustedProxies,
} from './trusted-proxies.ts';
