import { expect, it } from 'vitest';
import { CountingClock, changingCases, discoveryCases, Ear } from '../../kernel/ports/discovery.cases.ts';
import { LiveAddresses, staticAddresses } from './live-addresses.ts';

changingCases('services of this process', async (addresses) => {
  const discovery = new LiveAddresses();
  discovery.set(addresses);
  return {
    discovery,
    clock: new CountingClock(),
    change: (next) => discovery.set(next),
    // It has no outside source that could fail.
    fail: async () => {},
  };
});

it('reports addresses from before the first listener, and keeps later ones', () => {
  const [discovery, ear, next] = [new LiveAddresses(), new Ear(), new Ear()];
  discovery.set(['http://b:1', 'http://a:1']);
  discovery.watch(ear.hear);
  discovery.set([]);
  discovery.stop();
  discovery.set(['http://c:1']);
  expect(ear.heard).toEqual([['http://a:1', 'http://b:1'], []]);
  discovery.watch(next.hear);
  expect(next.heard).toEqual([['http://c:1']]);
});

it('reports an address once when several instances share it', () => {
  const [discovery, ear] = [new LiveAddresses(), new Ear()];
  discovery.watch(ear.hear);
  discovery.set(['amqp://broker', 'amqp://broker']);
  discovery.set(['amqp://broker']);
  expect(ear.heard).toEqual([[], ['amqp://broker']]);
});

discoveryCases('a list', async (addresses) => ({ discovery: staticAddresses(addresses), clock: new CountingClock() }));

it('reports the addresses of the placement', () => {
  const ear = new Ear();
  staticAddresses(['http://payments:80', 'https://payments:443']).watch(ear.hear);
  expect(ear.heard).toEqual([['http://payments:80', 'https://payments:443']]);
});
