import { describe, expect, it } from 'vitest';
import { StartError } from '../errors/index.ts';
import { readAddress, shownAddress, wholeAddress } from './address.ts';

describe('an address', () => {
  it.each([
    ['http://Payments:80', 'http://payments:80'],
    ['http://payments:080/', 'http://payments:80'],
    ['https://payments:443', 'https://payments:443'],
    ['quic://Payments:080/', 'quic://payments:80'],
    ['grpcs://[FD00::7]:4105', 'grpcs://[fd00::7]:4105'],
  ])('is normalized from %s', (text, address) => {
    expect([wholeAddress(text), readAddress(text)]).toEqual([address, address]);
  });

  it.each([
    ...[
      'payments:4105',
      'HTTP://a:1',
      'http+dns://a:1',
      '://a:1',
      'grpc://a',
      'http://a',
      'http://a/b',
      'http://a:1/b',
    ],
    ...['http://a:1?b', 'http://a:0', 'http://a:99999', ''],
  ])('is not read from "%s", and the error says what to write', (text) => {
    expect(wholeAddress(text)).toBe(undefined);
    expect(() => readAddress(text)).toThrow(StartError);
    const cure = 'write protocol, host and port, such as http://10.0.0.7:4105';
    expect(() => readAddress(text)).toThrow(`"${text}" is not an address; ${cure}`);
  });

  it('does not show a password in an error', () => {
    expect(() => readAddress('amqp://me:secret@broker:5672')).toThrow('"amqp://broker:5672" is not an address');
  });
});

describe('the printable form', () => {
  it.each([
    ['mitt', 'mitt'],
    ['http://payments:80', 'http://payments:80'],
    ['amqp://me:secret@broker:5672?namespace=shop', 'amqp://broker:5672'],
    ['nats://secret@broker', 'nats://broker'],
    ['kafka://me:secret@broker:9092?unknown=secret', 'kafka://broker:9092'],
  ])('of %s contains no secret', (address, shown) => {
    expect(shownAddress(address)).toBe(shown);
  });
});
