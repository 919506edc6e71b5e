export { AskedAddresses, type Sighting, type Source } from './asked.ts';
export type { Discovery, Listener } from './discovery.ts';
export { type DnsName, type DnsParts, dnsAddresses } from './dns.ts';
export { type AddressFile, fileAddresses } from './file.ts';
export { LiveAddresses } from './live.ts';
export { staticAddresses } from './static.ts';
