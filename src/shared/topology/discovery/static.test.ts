import { expect, it } from 'vitest';
import { StartError } from '../../errors/index.ts';
import { CountingClock, discoveryCases, Ear } from './discovery.cases.ts';
import { staticAddresses } from './static.ts';

discoveryCases('a list', async (addresses) => ({ discovery: staticAddresses(addresses), clock: new CountingClock() }));

it('takes one address in two spellings for one', () => {
  const ear = new Ear();
  staticAddresses(['http://Payments:80', 'http://payments/', 'grpc://[FD00::7]:4105']).watch(ear.hear);
  expect(ear.heard).toEqual([['grpc://[fd00::7]:4105', 'http://payments']]);
});

it('keeps a password to itself', () => {
  expect(() => staticAddresses(['amqp://me:secret@broker:5672'])).toThrow('"amqp://broker:5672" is not an address');
});

it.each(['payments:4105', 'ftp://a:1', 'grpc://a', 'http://a/b', 'http://a?b', 'http://a:99999', ''])(
  'refuses "%s", which is no address',
  (text) => {
    expect(() => staticAddresses([text])).toThrow(StartError);
    expect(() => staticAddresses([text])).toThrow(`"${text}" is not an address; write a protocol, host and port`);
  },
);
