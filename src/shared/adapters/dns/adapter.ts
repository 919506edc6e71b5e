import type { Adapter } from '../../kernel/ports/index.ts';
import { dnsAddresses } from './dns.ts';

/** Discovers instances from A, AAAA and SRV records. */
export const dns = (): Adapter => ({
  name: 'dns',
  findByName: (name, server, dependencies) => dnsAddresses({ ...name, server, ...dependencies }),
});
