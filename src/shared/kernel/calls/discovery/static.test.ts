import { expect, it } from 'vitest';
import { CountingClock, discoveryCases, Ear } from './discovery.cases.ts';
import { staticAddresses } from './discovery.ts';

discoveryCases('a list', async (addresses) => ({ discovery: staticAddresses(addresses), clock: new CountingClock() }));

it('reports the addresses of the placement', () => {
  const ear = new Ear();
  staticAddresses(['http://payments:80', 'https://payments:443']).watch(ear.hear);
  expect(ear.heard).toEqual([['http://payments:80', 'https://payments:443']]);
});
