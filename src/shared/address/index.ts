export {
  addressExample,
  isPort,
  mostPort,
  type Protocol,
  readAddress,
  shownAddress,
  wholeAddress,
  withoutSecret,
} from './address.ts';
export { type BrokerProtocol, carriesCalls, isBroker, namespaceOf } from './broker.ts';
export { clientAddress, clientNetwork, noProxies, readTrustedProxies, type TrustedProxies } from './proxies.ts';
